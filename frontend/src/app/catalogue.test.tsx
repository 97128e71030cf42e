import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, it } from 'vitest';
import { catalogue } from '@/testing/fixtures';
import { renderApp } from '@/testing/render-app';
import { api, server } from '@/testing/server';

const fedprox = {
  ...catalogue[0],
  section: 'algorithm',
  kind: 'fedprox',
  title: 'FedProx',
  summary: 'FedAvg with a pull towards the global model.',
  paper: 'Li et al., MLSys 2020, arXiv:1812.06127',
  synonyms: ['proximal'],
  constraints: ['a server'],
  example: { algorithm: { kind: 'fedprox' } },
  schema: {
    type: 'object',
    properties: {
      kind: { const: 'fedprox', type: 'string' },
      mu: { type: 'number', default: 0.01, minimum: 0, maximum: 10, description: 'The pull.' },
      seeds: { anyOf: [{ type: 'integer', exclusiveMinimum: 0 }, { type: 'null' }], default: null },
    },
  },
};

beforeEach(() => {
  server.use(http.get(api('catalogue/'), () => HttpResponse.json([...catalogue, fedprox])));
});

it('is searched by name, idea and other names, and keeps the search in the address', async () => {
  const { router } = renderApp('/catalogue');
  const search = await screen.findByRole('searchbox');
  await userEvent.type(search, 'proximal');
  expect(await screen.findByText('1 entry')).toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'FedProx' })).toBeInTheDocument();
  expect(router.state.location.search).toEqual({ search: 'proximal' });
  await userEvent.type(search, ' nonsense');
  expect(await screen.findByText('Nothing matches')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('link', { name: 'Show everything' }));
  await userEvent.click(await screen.findByText('Models'));
  expect(await screen.findByText('1 entry')).toBeInTheDocument();
  expect(router.state.location.search).toEqual({ section: 'model' });
});

it('says of a kind where it comes from, what can be set, and opens an example', async () => {
  renderApp('/catalogue/algorithm/fedprox');
  expect(await screen.findByRole('heading', { name: 'FedProx' })).toBeInTheDocument();
  expect(screen.getByRole('link', { name: /Li et al/ })).toHaveAttribute(
    'href',
    'https://arxiv.org/abs/1812.06127',
  );
  const row = screen.getByRole('row', { name: /Mu/ });
  expect(within(row).getByText('0.01')).toBeInTheDocument();
  expect(within(row).getByText(/number, ≥ 0, ≤ 10/)).toBeInTheDocument();
  expect(within(row).getByText('The pull.')).toBeInTheDocument();
  expect(screen.getByText(/whole number, > 0, or empty/)).toBeInTheDocument();
  await userEvent.click(screen.getByRole('link', { name: 'Open in New run' }));
  expect(await screen.findByRole('form', { name: 'New run' })).toBeInTheDocument();
});

it('says so when there is no such kind', async () => {
  renderApp('/catalogue/algorithm/nothing');
  expect(await screen.findByText('Not in the catalogue')).toBeInTheDocument();
});
