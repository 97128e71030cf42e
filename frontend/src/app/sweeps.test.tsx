import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it } from 'vitest';
import { makeSweep } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, problem, server } from '@/testing/server';

const sweep = makeSweep();
const ADDRESS = `/sweeps/${sweep.job}`;

it('lists sweeps with their progress and their best', async () => {
  renderApp('/sweeps');
  const list = await screen.findByRole('list', { name: 'All sweeps' });
  expect(within(list).getByRole('link', { name: 'Learning rates' })).toHaveAttribute(
    'href',
    ADDRESS,
  );
  expect(list).toHaveTextContent('2 of 3 runs ended');
  expect(list).toHaveTextContent('Best test accuracy 75.0%');
  expect(list).toHaveTextContent('Local: learning rate 0.2');
});

it('says where there is nothing how to begin', async () => {
  server.use(
    http.get(api('sweeps/'), () => HttpResponse.json({ next: null, previous: null, results: [] })),
  );
  renderApp('/sweeps');
  expect(await screen.findByRole('link', { name: 'Start a sweep' })).toBeInTheDocument();
});

it('shows the best point, every result and the runs of each point, the best first', async () => {
  renderApp(ADDRESS);
  expect(await screen.findByRole('heading', { name: 'Learning rates' })).toBeInTheDocument();
  expect(screen.getByText('Every combination: 3')).toBeInTheDocument();
  const rows = within(screen.getByRole('group', { name: 'Points and their runs' })).getAllByRole(
    'row',
  );
  expect(rows.map((row) => within(row).queryAllByRole('cell')[0]?.textContent)).toEqual([
    undefined,
    '0.2',
    '0.1',
    '0.4',
  ]);
  expect(document.querySelector('[data-chart=results]')).toHaveAttribute('data-points', '2');
  expect(screen.getByRole('link', { name: 'Compare the best' })).toHaveAttribute(
    'href',
    expect.stringContaining('runs=1'),
  );
  expect(screen.getByText(/Too few results to say/)).toBeInTheDocument();
});

it('asks before it stops, and goes on when asked to', async () => {
  const asked: string[] = [];
  server.use(
    http.post(api('jobs/:id/sweep/:verb/'), ({ params }) => {
      asked.push(String(params['verb']));
      const stopped = makeSweep({ state: 'cancelled', allowed_actions: ['resume'] });
      server.use(http.get(api('jobs/:id/sweep/'), () => HttpResponse.json(stopped)));
      return HttpResponse.json(stopped);
    }),
  );
  renderApp(ADDRESS);
  await userEvent.click(await screen.findByRole('button', { name: 'Stop' }));
  const dialog = await screen.findByRole('dialog', { name: 'Stop this sweep?' });
  expect(asked).toEqual([]);
  await userEvent.click(within(dialog).getByRole('button', { name: 'Stop the sweep' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Resume' }));
  await waitFor(() => {
    expect(asked).toEqual(['cancel', 'resume']);
  });
});

it('launches every combination of the values that are written', async () => {
  const sent: unknown[] = [];
  server.use(
    http.post(api('jobs/'), async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ id: sweep.job, runs: [], sweep: {} }, { status: 201 });
    }),
  );
  const { router } = renderApp(`/sweeps/new?spec=${encodeURIComponent('{"rounds":5}')}`);
  const form = await screen.findByRole('form', { name: 'New sweep' });
  expect(form).toHaveTextContent('Rounds5');
  expect(within(form).getByRole('button', { name: 'Launch 0 runs' })).toBeDisabled();
  await userEvent.click(screen.getByRole('combobox', { name: 'Setting' }));
  await userEvent.click(await screen.findByRole('option', { name: 'Partition: alpha' }));
  await userEvent.type(screen.getByRole('combobox', { name: 'Values' }), '0.1,1,10,');
  await userEvent.click(within(form).getByRole('button', { name: 'Launch 3 runs' }));
  await waitFor(() => {
    expect(router.state.location.pathname).toBe(ADDRESS);
  });
  expect(sent).toMatchObject([
    {
      name: 'Sweep over partition: alpha',
      sweep: { base: { rounds: 5 }, axes: { 'partition.alpha': [0.1, 1, 10] }, seeds: 1 },
    },
  ]);
});

it('puts what the server objects to beside the setting, and the rest above the button', async () => {
  server.use(
    http.post(api('jobs/'), () =>
      problem(400, 'invalid_spec', {
        'sweep.axes.partition.alpha': ['-1: must be more than 0.'],
        'sweep.seeds': ['The last seed would be too large.'],
      }),
    ),
  );
  renderApp('/sweeps/new');
  await screen.findByRole('form', { name: 'New sweep' });
  await userEvent.click(screen.getByRole('combobox', { name: 'Setting' }));
  await userEvent.click(await screen.findByRole('option', { name: 'Partition: alpha' }));
  await userEvent.type(screen.getByRole('combobox', { name: 'Values' }), '-1,');
  await userEvent.click(screen.getByRole('button', { name: 'Launch 1 run' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('seeds: The last seed would be');
  expect(screen.getByText('-1: must be more than 0.')).toBeInTheDocument();
});
