import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it } from 'vitest';
import { runKeys } from '@/api/runs';
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
  const { router } = renderApp('/runs?state=failed&search=digits&sort=-accuracy&tag=paper');
  expect(await screen.findByText('No run matches')).toBeInTheDocument();
  expect(asked.at(-1)).toBe('?search=digits&state=failed&ordering=-accuracy&tag=paper');
  await userEvent.click(screen.getByRole('button', { name: 'State · 1' }));
  await userEvent.click(await screen.findByRole('checkbox', { name: /Paused/ }));
  await waitFor(() => {
    expect(router.state.location.search).toEqual({
      state: 'failed,paused',
      search: 'digits',
      sort: '-accuracy',
      tag: 'paper',
    });
  });
});

it('sorts by a heading, and says so', async () => {
  const { router } = renderApp('/runs');
  const heading = await screen.findByRole('columnheader', { name: 'Accuracy' });
  await userEvent.click(within(heading).getByRole('button'));
  expect(router.state.location.search).toEqual({ sort: '-accuracy' });
  await waitFor(() => {
    expect(screen.getByRole('columnheader', { name: 'Accuracy' })).toHaveAttribute(
      'aria-sort',
      'descending',
    );
  });
});

it('shows the columns that the address asks for', async () => {
  renderApp('/runs?columns=tags,author');
  expect(await screen.findByRole('columnheader', { name: 'By' })).toBeInTheDocument();
  expect(screen.queryByRole('columnheader', { name: 'Accuracy' })).not.toBeInTheDocument();
  expect(screen.getByText('paper')).toBeInTheDocument();
});

it('does the same with all selected runs, and says what was refused', async () => {
  const asked: unknown[] = [];
  server.use(
    http.post(api('runs/bulk/'), async ({ request }) => {
      asked.push(await request.json());
      return HttpResponse.json({
        done: [],
        refused: [{ id: makeListItem().id, code: 'conflict', message: 'It has ended.' }],
      });
    }),
  );
  renderApp('/runs');
  await userEvent.click(await screen.findByRole('checkbox', { name: 'Select all shown runs' }));
  const bar = screen.getByRole('region', { name: 'Selected runs' });
  expect(within(bar).getByText('1 run selected')).toBeInTheDocument();
  expect(within(bar).queryByRole('button', { name: 'Retry' })).not.toBeInTheDocument();
  await userEvent.click(within(bar).getByRole('button', { name: 'Pause' }));
  expect(await screen.findByText(/1 run stayed as it was: It has ended/)).toBeInTheDocument();
  expect(asked).toEqual([{ runs: [makeListItem().id], action: 'pause' }]);
  expect(within(bar).getByRole('link', { name: 'Compare' })).toHaveAttribute(
    'href',
    expect.stringContaining('/compare?runs='),
  );
});

it('tries failed clients again where a selected run allows it', async () => {
  const asked: unknown[] = [];
  const failed = makeListItem({ state: 'failed', allowed_actions: ['retry-failed', 'retry'] });
  server.use(
    http.get(api('runs/'), () =>
      HttpResponse.json({ next: null, previous: null, results: [failed] }),
    ),
    http.post(api('runs/bulk/'), async ({ request }) => {
      asked.push(await request.json());
      return HttpResponse.json({ done: [failed.id], refused: [] });
    }),
  );
  renderApp('/runs');
  await userEvent.click(await screen.findByRole('checkbox', { name: 'Select all shown runs' }));
  await userEvent.click(screen.getByRole('button', { name: 'Retry failed clients only' }));
  await waitFor(() => {
    expect(asked).toEqual([{ runs: [failed.id], action: 'retry-failed' }]);
  });
});

it('saves the view that is shown under a name', async () => {
  const saved: unknown[] = [];
  server.use(
    http.post(api('views/'), async ({ request }) => {
      saved.push(await request.json());
      return HttpResponse.json({ id: 'v', name: 'x', query: '', created_at: '' }, { status: 201 });
    }),
  );
  renderApp('/runs?state=failed');
  await userEvent.click(await screen.findByRole('button', { name: 'Views' }));
  await userEvent.type(await screen.findByLabelText('Name of the view'), 'Failed ones{Enter}');
  await waitFor(() => {
    expect(saved).toEqual([{ name: 'Failed ones', query: '?state=failed' }]);
  });
});

it('stars a run by its button', async () => {
  const asked: unknown[] = [];
  server.use(
    http.patch(api('runs/:id/'), async ({ request }) => {
      asked.push(await request.json());
      return HttpResponse.json(makeListItem({ is_favourite: true }));
    }),
  );
  renderApp('/runs');
  await userEvent.click(await screen.findByRole('button', { name: 'Star Digits, very uneven' }));
  await waitFor(() => {
    expect(asked).toEqual([{ is_favourite: true }]);
  });
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

it('draws the last point of a run that is over, too', async () => {
  let isOver = false;
  const running = makeListItem();
  const over = { ...running, state: 'succeeded', is_final: true };
  server.use(
    http.get(api('runs/'), () => page([isOver ? over : running])),
    http.get(api('runs/sparklines/'), () =>
      HttpResponse.json({
        metric: 'accuracy',
        lines: [{ run: running.id, values: isOver ? [0.4, 0.5, 0.6] : [0.4, 0.5] }],
      }),
    ),
  );
  const { queries } = renderApp('/runs');
  await screen.findByRole('img', { name: 'Accuracy over 2 points' });
  isOver = true;
  await queries.invalidateQueries({ queryKey: runKeys.lists() });
  await screen.findByRole('img', { name: 'Accuracy over 3 points' });
});
