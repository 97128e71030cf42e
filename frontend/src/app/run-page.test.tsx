import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, it } from 'vitest';
import { FakeSocket } from '@/testing/fake-socket';
import { makeRun, roundFinished } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, problem, server } from '@/testing/server';

const run = makeRun();
const ADDRESS = `/runs/${run.id}`;

/** How many points the chart of a metric has. */
function pointsOf(metric: string): string | null | undefined {
  return document.querySelector(`[data-chart=${metric}]`)?.getAttribute('data-points');
}

async function open(): Promise<void> {
  renderApp(ADDRESS);
  await screen.findByRole('heading', { name: run.name });
  await waitFor(() => {
    expect(FakeSocket.all).toHaveLength(1);
  });
}

beforeEach(() => {
  FakeSocket.all = [];
});

it('shows the state, the progress and the time left', async () => {
  await open();
  expect(screen.getByText('Running')).toBeInTheDocument();
  expect(screen.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '2');
  expect(screen.getByText(/about 9.0 s left/)).toBeInTheDocument();
  await waitFor(() => {
    expect(pointsOf('accuracy')).toBe('2');
  });
});

it('grows with the events of the socket, from where the history ended', async () => {
  await open();
  expect(FakeSocket.latest.url).toContain(`/ws/runs/${run.id}/?after=4`);
  act(() => {
    FakeSocket.latest.send({ type: 'events', events: [roundFinished(5, 2), roundFinished(6, 3)] });
    FakeSocket.latest.send({ type: 'run', run: makeRun({ rounds_done: 4, last_seq: 6 }) });
  });
  expect(pointsOf('accuracy')).toBe('4');
  expect(screen.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '4');
  expect(screen.getByText('Round 3 finished')).toBeInTheDocument();
});

it('says when the live connection has dropped, and takes up after the last event', async () => {
  await open();
  act(() => {
    FakeSocket.latest.send({ type: 'events', events: [roundFinished(5, 2)] });
    FakeSocket.latest.drop();
  });
  expect(screen.getByText(/Reconnecting/)).toBeInTheDocument();
  await waitFor(() => {
    expect(FakeSocket.all).toHaveLength(2);
  });
  expect(FakeSocket.latest.url).toContain('after=5');
  act(() => {
    FakeSocket.latest.send({ type: 'ping' });
  });
  expect(screen.queryByText(/Reconnecting/)).not.toBeInTheDocument();
});

it('offers what the server allows, and nothing else', async () => {
  server.use(
    http.get(api(`runs/${run.id}/`), () =>
      HttpResponse.json(makeRun({ state: 'paused', allowed_actions: ['resume'] })),
    ),
  );
  await open();
  expect(screen.getByRole('button', { name: 'Resume' })).toBeInTheDocument();
  for (const name of ['Pause', 'Cancel', 'Retry']) {
    expect(screen.queryByRole('button', { name })).not.toBeInTheDocument();
  }
});

it('asks before it cancels', async () => {
  let cancelled = 0;
  server.use(
    http.post(api('runs/:id/cancel/'), () => {
      cancelled += 1;
      return HttpResponse.json(makeRun({ requested_action: 'cancel', allowed_actions: ['clone'] }));
    }),
  );
  await open();
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  const dialog = await screen.findByRole('dialog', { name: 'Cancel this run?' });
  expect(cancelled).toBe(0);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Cancel run' }));
  expect(await screen.findByText('Cancelling …')).toBeInTheDocument();
  expect(cancelled).toBe(1);
});

it('offers to try only the clients again that failed, where updates of the others are kept', async () => {
  let tried = 0;
  server.use(
    http.get(api(`runs/${run.id}/`), () =>
      HttpResponse.json(
        makeRun({
          state: 'failed',
          is_final: true,
          allowed_actions: ['retry-failed', 'retry', 'clone'],
        }),
      ),
    ),
    http.post(api(`runs/${run.id}/retry-failed/`), () => {
      tried += 1;
      return HttpResponse.json(makeRun({ state: 'queued', allowed_actions: ['cancel'] }));
    }),
  );
  await open();
  await userEvent.click(screen.getByRole('button', { name: 'Retry failed clients only' }));
  expect(await screen.findByRole('button', { name: 'Cancel' })).toBeInTheDocument();
  expect(tried).toBe(1);
});

it('names the client, the round and the remedy when a run has failed', async () => {
  server.use(
    http.get(api(`runs/${run.id}/`), () =>
      HttpResponse.json(
        makeRun({
          state: 'failed',
          is_final: true,
          allowed_actions: ['retry', 'clone'],
          failure: {
            code: 'too_few_updates',
            message: 'Only 1 of 10 updates could be used.',
            client_id: 17,
            round_index: 3,
            field: 'local.lr',
            fix: 'Lower the learning rate.',
          },
        }),
      ),
    ),
    http.get(api('runs/:id/failures/'), () =>
      HttpResponse.json({
        failure: null,
        groups: [
          {
            status: 'refused',
            message: 'not finite: 3 numbers',
            fix: 'Clip updates.',
            count: 9,
            num_clients: 9,
            clients: [17, 2, 3, 4, 5, 6, 7],
            rounds: [2, 3],
          },
        ],
      }),
    ),
  );
  await open();
  const card = screen.getByRole('alert');
  expect(await within(card).findByText('9 clients (17, 2, 3, 4, 5, 6, …)')).toBeInTheDocument();
  expect(card).toHaveTextContent('in rounds 2, 3: not finite: 3 numbers');
  expect(card).toHaveTextContent('Clip updates.');
  expect(card).toHaveTextContent('round 3, client 17');
  expect(card).toHaveTextContent('Lower the learning rate.');
  expect(card).toHaveTextContent('local.lr');
});

it('says so when there is no such run', async () => {
  server.use(http.get(api(`runs/${run.id}/`), () => problem(404, 'not_found')));
  renderApp(ADDRESS);
  expect(await screen.findByText('Not found')).toBeInTheDocument();
});

it('shows how to get and load the model once there is one', async () => {
  server.use(
    http.get(api('runs/:id/artifacts/'), () =>
      HttpResponse.json({
        next: null,
        previous: null,
        results: [
          {
            id: 'a',
            kind: 'model',
            name: 'model.safetensors',
            size_bytes: 221_000,
            sha256: 'abc',
            round_index: 20,
            created_at: run.created_at,
          },
        ],
      }),
    ),
  );
  renderApp(`${ADDRESS}?tab=model`);
  const link = await screen.findByRole('link', { name: 'Download model.safetensors' });
  expect(link).toHaveAttribute('href', `/api/v1/runs/${run.id}/model/`);
  expect(screen.getByText(/load_file\("model.safetensors"\)/)).toBeInTheDocument();
});

it('marks in the spec what differs from the defaults', async () => {
  renderApp(`${ADDRESS}?tab=spec`);
  const clients = await screen.findByText('50');
  expect(clients).toHaveAttribute('title', 'differs from the default');
  expect(screen.getByText('0.5')).not.toHaveAttribute('title');
});

it('shows every part of a run by its tab, and keeps the tab in the address', async () => {
  const { router } = renderApp(`${ADDRESS}?tab=clients`);
  expect(await screen.findByRole('heading', { name: 'Clients by round' })).toBeInTheDocument();
  const table = await screen.findByRole('group', { name: 'All clients' });
  expect(within(table).getAllByRole('row')).toHaveLength(3);
  await userEvent.click(screen.getByText('Worst 10 %'));
  expect(within(table).getAllByRole('row')).toHaveLength(2);
  for (const [tab, heading] of [
    ['Data', 'Data of the clients'],
    ['Topology', 'Topology'],
    ['Log', 'Log'],
    ['Metrics', 'Curves'],
  ] as const) {
    await userEvent.click(screen.getByRole('tab', { name: tab }));
    expect(await screen.findByRole('heading', { name: heading })).toBeInTheDocument();
  }
  expect(router.state.location.search).toEqual({ tab: 'metrics' });
});

it('filters the log on the server, and downloads what is filtered', async () => {
  const asked: string[] = [];
  renderApp(`${ADDRESS}?tab=log`);
  await screen.findByRole('heading', { name: 'Log' });
  server.use(
    http.get(api('runs/:id/logs/'), ({ request }) => {
      asked.push(new URL(request.url).search);
      return HttpResponse.json({ lines: [], cursor: 4, has_more: false });
    }),
  );
  await userEvent.type(screen.getByRole('textbox', { name: 'Client' }), '17');
  expect(await screen.findByText('No line matches.')).toBeInTheDocument();
  expect(asked.at(-1)).toBe('?level=info&client=17&limit=1000');
  expect(screen.getByRole('link', { name: 'Download' })).toHaveAttribute(
    'href',
    expect.stringContaining('client=17&download=true'),
  );
});

it('keeps notes and tags', async () => {
  const asked: unknown[] = [];
  server.use(
    http.patch(api('runs/:id/'), async ({ request }) => {
      asked.push(await request.json());
      return HttpResponse.json(makeRun({ notes: 'lr was high', tags: ['paper'] }));
    }),
  );
  await open();
  await userEvent.type(await screen.findByRole('textbox', { name: 'Notes' }), 'lr was high');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => {
    expect(asked).toEqual([{ notes: 'lr was high', tags: ['paper'] }]);
  });
});

it('says that a run is in the trash, and restores it', async () => {
  const asked: unknown[] = [];
  server.use(
    http.get(api(`runs/${run.id}/`), () =>
      HttpResponse.json(makeRun({ trashed_at: run.created_at, state: 'failed', is_final: true })),
    ),
    http.post(api('runs/bulk/'), async ({ request }) => {
      asked.push(await request.json());
      return HttpResponse.json({ done: [run.id], refused: [] });
    }),
  );
  renderApp(ADDRESS);
  await userEvent.click(await screen.findByRole('button', { name: 'Restore' }));
  await waitFor(() => {
    expect(asked).toEqual([{ runs: [run.id], action: 'restore' }]);
  });
});
