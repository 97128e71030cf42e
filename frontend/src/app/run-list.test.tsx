import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it } from 'vitest';
import { makeListItem } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, problem, server } from '@/testing/server';

function page(results: readonly object[], next: string | null = null) {
  return HttpResponse.json({ next, previous: null, results });
}

it('shows what each run is and how far it has come', async () => {
  renderApp('/runs');
  const row = await screen.findByRole('row', { name: /Digits, very uneven/ });
  expect(within(row).getByText('Running')).toBeInTheDocument();
  expect(within(row).getByRole('progressbar', { name: '2 of 20 rounds' })).toBeInTheDocument();
  expect(within(row).getByText('52.0%')).toBeInTheDocument();
  expect(within(row).getByRole('link')).toHaveAttribute(
    'href',
    '/runs/11111111-1111-4111-8111-111111111111',
  );
});

it('invites to a first run when there is none', async () => {
  server.use(http.get(api('runs/'), () => page([])));
  renderApp('/runs');
  expect(await screen.findByRole('link', { name: 'Start your first run' })).toHaveAttribute(
    'href',
    '/new',
  );
});

it('shows an error as an error and not as an empty list, and tries again on demand', async () => {
  server.use(http.get(api('runs/'), () => problem(500, 'server_error'), { once: true }));
  renderApp('/runs');
  expect(await screen.findByRole('alert')).toHaveTextContent('It went wrong: server_error.');
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('Digits, very uneven')).toBeInTheDocument();
});

it('keeps the filter in the address and asks the server with it', async () => {
  const asked: string[] = [];
  server.use(
    http.get(api('runs/'), ({ request }) => {
      asked.push(new URL(request.url).search);
      return page([]);
    }),
  );
  const { router } = renderApp('/runs?state=failed&search=digits');
  expect(await screen.findByText('No run matches')).toBeInTheDocument();
  expect(asked.at(-1)).toBe('?state=failed&search=digits');
  await userEvent.click(screen.getByRole('radio', { name: 'Paused' }));
  await screen.findByText('No run matches');
  expect(router.state.location.search).toEqual({ state: 'paused', search: 'digits' });
});

it('loads more by the cursor that the server gave', async () => {
  server.use(
    http.get(api('runs/'), ({ request }) => {
      const { searchParams, origin } = new URL(request.url);
      return searchParams.get('cursor') === 'c2'
        ? page([makeListItem({ id: 'b', name: 'Second' })])
        : page([makeListItem({ id: 'a', name: 'First' })], `${origin}/api/v1/runs/?cursor=c2`);
    }),
  );
  renderApp('/runs');
  await userEvent.click(await screen.findByRole('button', { name: 'Load more' }));
  expect(await screen.findByText('Second')).toBeInTheDocument();
  expect(screen.getByText('First')).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Load more' })).not.toBeInTheDocument();
});
