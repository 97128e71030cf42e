import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it } from 'vitest';
import type { RunListItem } from '@/api/types';
import { makeListItem, makeRun } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, problem, server } from '@/testing/server';

/** A server with these runs. */
function withRuns(runs: readonly RunListItem[]): void {
  const states = [...new Set(runs.map(({ state }) => state))].map((value) => ({
    value,
    count: runs.filter(({ state }) => state === value).length,
  }));
  server.use(
    http.get(api('runs/facets/'), () =>
      HttpResponse.json({ states, methods: [], datasets: [], tags: [], trashed: 0 }),
    ),
    http.get(api('runs/'), ({ request }) => {
      const wanted = new URL(request.url).searchParams.getAll('state');
      const results = runs.filter(({ state }) => wanted.includes(state));
      return HttpResponse.json({ next: null, previous: null, results });
    }),
  );
}

const queued = makeListItem({
  id: '2',
  name: 'Patient',
  state: 'queued',
  queue: { position: 3, reason: 'Two other runs are ahead.', starts_in_s: 15 },
});
const failed = makeListItem({
  id: '3',
  name: 'Broken',
  state: 'failed',
  is_final: true,
  allowed_actions: ['retry', 'clone'],
  failure: {
    code: 'too_few_updates',
    message: 'Only 1 of 10 updates could be used.',
    client_id: null,
    round_index: 4,
    field: null,
    fix: '',
  },
});

it('says what runs, what waits and why, and what has failed and why', async () => {
  withRuns([makeListItem(), queued, failed]);
  renderApp('/');
  const running = await screen.findByRole('list', { name: 'Running' });
  expect(running).toHaveTextContent(/2 of 20 rounds · about 9.0 s left · accuracy 52.0%/);
  const waiting = await screen.findByRole('list', { name: 'Waiting' });
  expect(waiting).toHaveTextContent('#3');
  expect(waiting).toHaveTextContent('Two other runs are ahead. · starts in about 15 s');
  const broken = await screen.findByRole('list', { name: 'Failed' });
  expect(broken).toHaveTextContent('Only 1 of 10 updates could be used.');
  expect(broken).toHaveTextContent('in round 4');
  expect(screen.getByText('No run has ended yet.')).toBeInTheDocument();
});

it('retries a failed run from where it is listed', async () => {
  withRuns([failed]);
  let retried = 0;
  server.use(
    http.post(api('runs/3/retry/'), () => {
      retried += 1;
      return HttpResponse.json(makeRun());
    }),
  );
  renderApp('/');
  await userEvent.click(await screen.findByRole('button', { name: 'Retry Broken' }));
  await waitFor(() => {
    expect(retried).toBe(1);
  });
});

it('offers a newcomer examples that one click launches', async () => {
  withRuns([]);
  const run = makeRun();
  const sent: unknown[] = [];
  server.use(
    http.post(api('jobs/'), async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ id: 'j', runs: [run], sweep: null }, { status: 201 });
    }),
  );
  const { router } = renderApp('/');
  expect(await screen.findByText('Your first run')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Launch Federated averaging' }));
  await waitFor(() => {
    expect(router.state.location.pathname).toBe(`/runs/${run.id}`);
  });
  expect(sent).toMatchObject([{ name: 'Federated averaging', spec: { rounds: 10 } }]);
});

it('says why there is nothing to see, and tries again', async () => {
  server.use(http.get(api('runs/facets/'), () => problem(503, 'down')));
  renderApp('/');
  expect(await screen.findByRole('alert')).toHaveTextContent('It went wrong: down.');
  withRuns([queued]);
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  const list = await screen.findByRole('list', { name: 'Waiting' });
  expect(within(list).getByRole('link', { name: /Patient/ })).toBeInTheDocument();
});
