import { describe, expect, it } from 'vitest';
import { deviationOf, meanCurve, smoothed, valueOn } from './curves';

describe('smoothing', () => {
  it('changes nothing without weight', () => {
    const points = [[0, 1] as const, [1, 5] as const];
    expect(smoothed(points, 0)).toBe(points);
  });

  it('is a moving average that is not pulled towards zero at the start', () => {
    // Weight 0.5: (0.5 * 4) / 0.5 = 4, then (0.25 * 4 + 0.5 * 8) / 0.75 = 6.666...
    const [first, second] = smoothed(
      [
        [0, 4],
        [1, 8],
      ],
      0.5,
    );
    expect(first?.[1]).toBeCloseTo(4);
    expect(second?.[1]).toBeCloseTo(20 / 3);
  });

  it('keeps a constant constant, and gaps gaps', () => {
    const line = smoothed(
      [
        [0, 3],
        [1, null],
        [2, 3],
      ],
      0.9,
    );
    expect(line.map(([, y]) => y)).toEqual([3, null, 3]);
  });
});

describe('a value between points', () => {
  const line = [
    [0, 0],
    [10, 100],
    [20, 0],
  ] as const;

  it('lies on the straight line between them', () => {
    expect(valueOn(line, 2.5)).toBe(25);
    expect(valueOn(line, 15)).toBe(50);
    expect(valueOn(line, 20)).toBe(0);
  });

  it('is unknown outside of them', () => {
    expect(valueOn(line, -1)).toBeNull();
    expect(valueOn(line, 21)).toBeNull();
    expect(valueOn([], 0)).toBeNull();
  });
});

describe('the mean of curves', () => {
  it('has the sample deviation as its band', () => {
    const { points, band } = meanCurve([
      [
        [0, 1],
        [1, 2],
      ],
      [
        [0, 3],
        [1, 6],
      ],
    ]);
    expect(points).toEqual([
      [0, 2],
      [1, 4],
    ]);
    expect(band[0]).toBeCloseTo(Math.SQRT2);
    expect(band[1]).toBeCloseTo(2 * Math.SQRT2);
  });

  it('reads curves between their points, and leaves out those that have ended', () => {
    const { points } = meanCurve([
      [
        [0, 0],
        [2, 2],
      ],
      [
        [1, 3],
        [3, 5],
      ],
    ]);
    expect(points).toEqual([
      [0, 0],
      [1, 2],
      [2, 3],
      [3, 5],
    ]);
  });

  it('has no deviation of a single value', () => {
    expect(deviationOf([1])).toBeNull();
    expect(deviationOf([2, 4])).toBeCloseTo(Math.SQRT2);
  });
});
