import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, it } from 'vitest';
import { makeComparison } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, problem, server } from '@/testing/server';

const ids = makeComparison().runs.map(({ run }) => run.id);
const ADDRESS = `/compare?runs=${ids.join(',')}`;

it('says how to begin when there is nothing to compare', async () => {
  renderApp('/compare');
  expect(await screen.findByText('Nothing to compare yet')).toBeInTheDocument();
});

it('draws all runs, grouped as the address says', async () => {
  renderApp(`${ADDRESS}&group=algorithm.kind&x=bytes`);
  const figure = await screen.findByRole('figure');
  expect(within(figure).getByText('fedavg (2 runs)')).toBeInTheDocument();
  expect(within(figure).getByText('Traffic, both ways')).toBeInTheDocument();
  expect(screen.getByText(/one standard deviation/)).toBeInTheDocument();
});

it('takes a run out by its button', async () => {
  const { router } = renderApp(ADDRESS);
  await userEvent.click(await screen.findByRole('button', { name: 'Take FedProx out' }));
  expect(router.state.location.search).toEqual({ runs: ids.slice(0, 2).join(',') });
});

it('shows only the settings that differ', async () => {
  renderApp(`${ADDRESS}&tab=settings`);
  const row = await screen.findByRole('row', { name: /Algorithm: mu/ });
  expect(
    within(row)
      .getAllByRole('cell')
      .map((cell) => cell.textContent),
  ).toEqual(['–', '–', '0.1']);
  expect(screen.queryByRole('row', { name: /Rounds/ })).not.toBeInTheDocument();
});

it('prints a table for a paper', async () => {
  renderApp(`${ADDRESS}&tab=table`);
  expect(await screen.findByText(/\| Run \| Algorithm/)).toBeInTheDocument();
  await userEvent.click(screen.getByText('LaTeX'));
  expect(screen.getByText(/begin\{tabular\}/)).toBeInTheDocument();
});

it('shows an error as an error, and tries again', async () => {
  server.use(http.get(api('compare/'), () => problem(404, 'not_found')));
  renderApp(ADDRESS);
  expect(await screen.findByText('Not found')).toBeInTheDocument();
});

it('plots what was reached against what it cost', async () => {
  server.use(http.get(api('compare/'), () => HttpResponse.json(makeComparison())));
  renderApp(`${ADDRESS}&tab=cost`);
  const [scatter] = await screen.findAllByRole('figure');
  expect(scatter).toHaveAttribute('data-points', '3');
});
