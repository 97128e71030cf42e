import { QueryClient } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import { runKeys, type RunHistory } from '@/api/runs';
import type { Run } from '@/api/types';
import { events, makeRound, makeRun, roundFinished } from '@/testing/fixtures';
import { applyFrame } from './run-cache';

const id = makeRun().id;
const history: RunHistory = {
  rounds: [makeRound(0), makeRound(1)],
  metrics: ['accuracy', 'loss'],
  numRounds: 2,
  events,
  cursor: 4,
};

function cacheWith(state: RunHistory): QueryClient {
  const queries = new QueryClient();
  queries.setQueryData(runKeys.history(id), state);
  queries.setQueryData(runKeys.detail(id), makeRun());
  return queries;
}

function read(queries: QueryClient): RunHistory {
  const state = queries.getQueryData<RunHistory>(runKeys.history(id));
  if (state === undefined) throw new Error('no history');
  return state;
}

describe('events', () => {
  it('extend the curve, the list and the cursor', () => {
    const queries = cacheWith(history);
    const news = [roundFinished(5, 2), roundFinished(6, 3)];
    applyFrame(queries, id, { type: 'events', events: news });
    expect(read(queries).rounds.map((row) => row.round)).toEqual([0, 1, 2, 3]);
    expect(read(queries).events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(read(queries)).toMatchObject({ cursor: 6, numRounds: 4 });
  });

  it('change nothing when they come again', () => {
    const queries = cacheWith(history);
    applyFrame(queries, id, { type: 'events', events: events.slice(2) });
    expect(read(queries)).toBe(history);
  });

  it('fill in a round that the curve already has only once', () => {
    // The curve was read a moment after the cursor was.
    const queries = cacheWith({
      ...history,
      rounds: [...history.rounds, makeRound(2)],
      numRounds: 3,
    });
    applyFrame(queries, id, {
      type: 'events',
      events: [roundFinished(5, 2), roundFinished(6, 3)],
    });
    expect(read(queries).rounds.map((row) => row.round)).toEqual([0, 1, 2, 3]);
    expect(read(queries).numRounds).toBe(4);
  });
});

describe('a run', () => {
  const seen = (queries: QueryClient) => queries.getQueryData<Run>(runKeys.detail(id));

  it('is replaced by a newer one', () => {
    const queries = cacheWith(history);
    applyFrame(queries, id, { type: 'run', run: makeRun({ last_seq: 9, rounds_done: 7 }) });
    expect(seen(queries)?.rounds_done).toBe(7);
  });

  it('has its files asked for again when it ends, and only then', () => {
    const queries = cacheWith(history);
    queries.setQueryData(runKeys.artifacts(id), { results: [] });
    const isStale = () => queries.getQueryState(runKeys.artifacts(id))?.isInvalidated;
    const ended = makeRun({ last_seq: 9, state: 'succeeded', is_final: true });
    applyFrame(queries, id, { type: 'run', run: makeRun({ last_seq: 8 }) });
    expect(isStale()).toBe(false);
    applyFrame(queries, id, { type: 'run', run: ended });
    expect(isStale()).toBe(true);
    queries.setQueryData(runKeys.artifacts(id), { results: [] });
    applyFrame(queries, id, { type: 'snapshot', run: ended, after: 9 });
    expect(isStale()).toBe(false);
  });

  it('is not replaced by an older one that arrives late', () => {
    const queries = cacheWith(history);
    applyFrame(queries, id, {
      type: 'snapshot',
      run: makeRun({ last_seq: 2, rounds_done: 0 }),
      after: 2,
    });
    expect(seen(queries)?.rounds_done).toBe(2);
  });
});
