import { expect, it } from 'vitest';
import type { IntentSweep } from '@/api/types';
import { numRuns, searched, sweepOf } from './sweep-draft';

const search = { trials: 20, parameters: { 'local.lr': { kind: 'float', low: 0.003, high: 1 } } };
const sweep: IntentSweep = { base: {}, axes: {}, seeds: null, search };

it('counts the trials of a search as its runs', () => {
  expect(numRuns(sweep)).toBe(20);
  expect(searched(sweep)).toEqual([['local.lr', { kind: 'float', low: 0.003, high: 1 }]]);
});

it('launches a search without axes, which would contradict it', () => {
  expect(sweepOf(sweep, { rounds: 3 })).toEqual({ base: { rounds: 3 }, search, seeds: 1 });
});

it('counts the combinations of a grid, for each seed', () => {
  const grid = { ...sweep, search: null, axes: { seed: [1, 2], rounds: [3, 4, 5] }, seeds: 2 };
  expect(numRuns(grid)).toBe(12);
});
