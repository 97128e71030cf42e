import { expect, it } from 'vitest';
import { importanceOf } from './importance';

const results = (rows: readonly (readonly [lr: number, mu: string, value: number])[]) =>
  rows.map(([lr, mu, value]) => ({ values: { lr, mu }, value }));

it('gives all to the setting that decides the result, and nothing to one without effect', () => {
  const found = importanceOf(
    results([
      [0.1, 'a', 1],
      [0.1, 'b', 1],
      [0.2, 'a', 3],
      [0.2, 'b', 3],
    ]),
  );
  // Between the groups of lr lies everything: 1 - (0 / 2) / (4 / 3) = 1.
  expect(found?.[0]).toEqual({ path: 'lr', share: 1, trend: 1 });
  // Between those of mu nothing, which is less than chance: 1 - (4 / 2) / (4 / 3) < 0.
  expect(found?.[1]).toEqual({ path: 'mu', share: 0, trend: null });
});

it('takes off what chance would explain', () => {
  const found = importanceOf(
    results([
      [1, 'a', 1],
      [1, 'a', 3],
      [2, 'a', 2],
      [2, 'a', 6],
    ]),
  );
  // Mean 3, total 14; within 2 + 8 = 10: 1 - (10 / 2) / (14 / 3) = -1/14.
  expect(found?.[0]?.share).toBe(0);
  const clearer = importanceOf(
    results([
      [1, 'a', 1],
      [1, 'a', 3],
      [2, 'a', 7],
      [2, 'a', 9],
    ]),
  );
  // Mean 5, total 40; within 2 + 2 = 4: 1 - (4 / 2) / (40 / 3) = 0.85.
  expect(clearer?.[0]?.share).toBeCloseTo(0.85);
});

it('says nothing where every value occurred once, and bins numbers that never repeat', () => {
  expect(
    importanceOf(
      results([
        [1, 'a', 1],
        [2, 'a', 2],
        [3, 'a', 3],
      ]),
    ),
  ).toBeNull();
  const many = Array.from({ length: 20 }, (_, i): [number, string, number] => [i, 'a', -i]);
  const [only] = importanceOf(results(many)) ?? [];
  expect(only?.share).toBeGreaterThan(0.85);
  expect(only?.trend).toBeCloseTo(-1);
});
