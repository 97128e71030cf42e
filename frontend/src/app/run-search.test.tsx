import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { renderApp } from '@/testing/render-app';

const SLOWER_THAN_THE_SEARCH_MS = 600;

// A part of the application that is loaded on demand, over a slow connection.
vi.mock('@/features/compare/compare-page', async (original) => {
  await new Promise((resolve) => {
    setTimeout(resolve, SLOWER_THAN_THE_SEARCH_MS);
  });
  return original();
});

it('does not come back to the list for a search that was typed just before leaving it', async () => {
  const { router } = renderApp('/runs');
  await userEvent.type(await screen.findByRole('searchbox', { name: /Search/ }), 'trial');
  const left = router.navigate({ to: '/compare', search: { runs: 'a,b' } });
  await waitFor(() => {
    expect(router.history.location.pathname).toBe('/compare');
  });
  await left;
  expect(router.state.location.pathname).toBe('/compare');
});
