import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { onlineManager } from '@tanstack/react-query';
import { afterEach, expect, it } from 'vitest';
import { renderApp } from '@/testing/render-app';

afterEach(() => {
  onlineManager.setOnline(true);
  localStorage.clear();
});

async function open() {
  const app = renderApp('/runs');
  await screen.findByRole('heading', { name: 'Runs' });
  return app;
}

it('goes to a kind of the catalogue by the palette, without the mouse', async () => {
  const { router } = await open();
  await userEvent.keyboard('{Control>}k{/Control}');
  const search = await screen.findByRole('textbox', { name: /Go to a screen/ });
  await userEvent.type(search, 'dirichlet');
  await screen.findByText('Partitions');
  await userEvent.keyboard('{ArrowDown}{Enter}');
  await waitFor(() => {
    expect(router.state.location.pathname).toBe('/catalogue/partition/dirichlet');
  });
});

it.each([
  { early: Array.from('new sw'), later: 'eep{Enter}' },
  { early: Array.from('new sweep'), later: '{Enter}' },
  { early: [...Array.from('new sweep'), 'Enter'], later: '' },
])('keeps what is typed before the palette is there, and then $later', async ({ early, later }) => {
  const { router } = await open();
  await userEvent.keyboard('{Control>}k{/Control}');
  await screen.findByRole('textbox', { name: /Go to a screen/ });
  await userEvent.keyboard('{Escape}');
  await waitFor(() => {
    expect(screen.queryByRole('dialog')).toBeNull();
  });
  fireEvent.keyDown(document.body, { key: 'k', code: 'KeyK', ctrlKey: true });
  for (const key of early) fireEvent.keyDown(document.body, { key });
  if (later !== '') {
    const search = await screen.findByRole('textbox', { name: /Go to a screen/ });
    await waitFor(() => {
      expect(search).toHaveFocus();
    });
    await userEvent.keyboard(later);
  }
  await waitFor(() => {
    expect(router.state.location.pathname).toBe('/sweeps/new');
  });
});

it('goes to screens by single keys, unless they are turned off', async () => {
  const { router } = await open();
  await userEvent.keyboard('gs');
  await waitFor(() => {
    expect(router.state.location.pathname).toBe('/sweeps');
  });
  await userEvent.keyboard('?');
  const help = await screen.findByRole('dialog', { name: 'Keyboard shortcuts' });
  await userEvent.click(within(help).getByRole('switch', { name: /Shortcuts of single keys/ }));
  await userEvent.keyboard('{Escape}');
  await userEvent.keyboard('gr');
  expect(router.state.location.pathname).toBe('/sweeps');
});

it('says that what is shown may be old while the browser is offline', async () => {
  await open();
  act(() => {
    onlineManager.setOnline(false);
  });
  expect(screen.getByText(/You are offline/)).toBeInTheDocument();
  act(() => {
    onlineManager.setOnline(true);
  });
  expect(screen.queryByText(/You are offline/)).not.toBeInTheDocument();
});
