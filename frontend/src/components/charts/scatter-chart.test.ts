import { expect, it } from 'vitest';
import { shareLimit } from './axes';
import { spreadOut } from './scatter-chart';

it('ends an axis of shares at all of them', () => {
  expect(shareLimit({ min: 0.97, max: 0.97 })).toBe(1);
  expect(shareLimit({ min: 0.2, max: 0.95 })).toBe(1);
  expect(shareLimit({ min: 0.2, max: 0.6 })).toBeNull();
});

it('draws points at the same place beside each other', () => {
  const [first, second, other] = spreadOut([
    { x: 1, y: 2 },
    { x: 1, y: 2 },
    { x: 1, y: 3 },
  ]);
  expect(first).toEqual([0, 0]);
  expect(other).toEqual([0, 0]);
  expect(Math.hypot(...(second ?? [0, 0]))).toBeCloseTo(9);
});
