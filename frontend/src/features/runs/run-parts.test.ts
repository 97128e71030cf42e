import { describe, expect, it } from 'vitest';
import type { RoundRow, RunSite } from '@/api/types';
import type { ChartAxis } from '@/lib/url-state';
import { makeClient, makeRound } from '@/testing/fixtures';
import { chartsOf, pointsOf } from './chart-series';
import { clientSeries } from './client-series';
import { chosenColumns, columnsSearch } from './run-columns';
import { siteTopologyOf, topologyOf } from './topology';
import { worstClients } from './worst-clients';

describe('columns', () => {
  it('are the usual ones without a word, and those asked for in their own order', () => {
    expect(columnsSearch(chosenColumns(undefined).map(({ id }) => id))).toBeUndefined();
    expect(chosenColumns('notes,state,nonsense').map(({ id }) => id)).toEqual(['state', 'notes']);
    expect(columnsSearch(['age', 'loss'])).toBe('loss,age');
    expect(chosenColumns(columnsSearch([]))).toEqual([]);
  });
});

describe('curves', () => {
  it('add costs up', () => {
    const rounds = [makeRound(0), makeRound(1)];
    const places = (axis: ChartAxis) => pointsOf(rounds, 'accuracy', axis).map(([x]) => x);
    expect(places('rounds')).toEqual([0, 1]);
    expect(places('bytes')).toEqual([2000, 4000]);
    expect(places('seconds')).toEqual([0.5, 1]);
    expect(places('simulated')).toEqual([2, 4]);
  });

  it('are continued by new rounds, and begun anew where a round has changed', () => {
    const rounds = [makeRound(0), makeRound(1)];
    const before = pointsOf(rounds, 'accuracy', 'bytes');
    const longer = pointsOf([...rounds, makeRound(2)], 'accuracy', 'bytes');
    expect(longer.map(([x]) => x)).toEqual([2000, 4000, 6000]);
    expect(longer[1]).toBe(before[1]);
    expect(before).toHaveLength(2);
    const [first] = rounds as [RoundRow];
    const other = { ...makeRound(1), bytes_up: 0, metrics: { accuracy: 0.9 } };
    expect(pointsOf([first, other], 'accuracy', 'bytes')).toEqual([
      before[0],
      [2000 + other.bytes_down, 0.9],
    ]);
  });

  it('are one per metric, with both losses in one', () => {
    const names = ['drift', 'train_loss', 'accuracy', 'loss'];
    expect(chartsOf(names).map(({ id }) => id)).toEqual(['accuracy', 'loss', 'drift']);
    expect(chartsOf(['drift']).map(({ id }) => id)).toEqual(['drift']);
    expect(chartsOf([]).map(({ id }) => id)).toEqual(['accuracy', 'loss']);
  });
});

describe('clients', () => {
  it('that the model serves worst are judged by their test data where there are some', () => {
    const many = Array.from({ length: 20 }, (_, id) =>
      makeClient(id, { test_accuracy: id / 20, last_loss: id }),
    );
    expect(worstClients(many).map((client) => client.client_id)).toEqual([0, 1]);
    const untested = many.map((client) => ({ ...client, test_accuracy: null }));
    expect(worstClients(untested).map((client) => client.client_id)).toEqual([19, 18]);
    expect(worstClients([])).toEqual([]);
  });

  it('have a mean that is drawn strongest', () => {
    const lines = clientSeries({
      metric: 'loss',
      rounds: [0, 5],
      rounds_per_column: 5,
      clients: [7, 8],
      total_clients: 2,
      cells: [
        [0, 0, 1],
        [0, 1, 3],
        [1, 1, 5],
      ],
    });
    expect(lines.at(-1)).toMatchObject({
      isStrong: true,
      points: [
        [0, 2],
        [5, 5],
      ],
    });
    expect(lines).toHaveLength(3);
  });

  it('stand around a server', () => {
    const clients = [0, 1, 2].map((id) => makeClient(id, { last_round: id === 1 ? 4 : 3 }));
    const star = topologyOf({ clients, links: [] }, 'star');
    expect(star.nodes.map((node) => node.tone)).toEqual(['server', 'idle', 'active', 'idle']);
    expect(star.links.filter((link) => link.isActive)).toHaveLength(1);
  });

  it('show what real sites are at, whether they are there, and which are out', () => {
    const task = (state: string) => ({ state, kind: 'train', reason: '', rule: '', stage: '' });
    const site = (changes: object) =>
      ({
        client_id: 0,
        name: 'Ward',
        state: 'approved',
        presence: 'online',
        num_train: 4,
        num_test: 1,
        has_joined: true,
        out_rule: '',
        out_reason: '',
        task: null,
        ...changes,
      }) as unknown as RunSite;
    const { nodes, links } = siteTopologyOf([
      site({ task: task('accepted') }),
      site({ task: task('waiting') }),
      site({ task: task('done') }),
      site({ task: task('waiting'), presence: 'offline' }),
      site({ state: 'revoked' }),
      site({ task: task('refused'), presence: 'offline' }),
      site({ out_rule: 'min_cohort', out_reason: 'Too few.' }),
    ]);
    const tones = nodes.map((node) => node.tone);
    expect(tones).toEqual([
      ...['server', 'active', 'waiting', 'idle', 'gone', 'gone', 'bad', 'bad'],
    ]);
    expect(links.filter((link) => link.isActive)).toHaveLength(1);
  });

  it('are linked as the server says, and a link is active where both ends took part', () => {
    const clients = [0, 1, 2].map((id) => makeClient(id, { last_round: id === 2 ? 3 : 4 }));
    const links = [
      [0, 1],
      [1, 2],
    ];
    expect(topologyOf({ clients, links }, 'torus').links).toEqual([
      { source: '0', target: '1', isActive: true },
      { source: '1', target: '2', isActive: false },
    ]);
    expect(topologyOf({ clients, links: [] }, 'torus').links).toEqual([]);
  });
});
