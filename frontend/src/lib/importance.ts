/** How much each setting of a sweep matters for its result. */

import { isEqual, type Json } from './document-path';

interface Result {
  values: Readonly<Record<string, unknown>>;
  value: number;
}

interface Importance {
  path: string;
  /** Share of the variance of the result that the setting explains by itself, 0 to 1. */
  share: number;
  /** Rank correlation of a numeric setting with the result, -1 to 1; null for words. */
  trend: number | null;
}

/** Numbers that are all different are put into bins; with more, each would hold too few. */
const MAX_BINS = 5;

/**
 * The settings by how much of the variance of the result each explains, the most first; null where
 * there are too few results. The share is epsilon squared: the share of variance between the groups
 * of equal (or binned) values, corrected for what as many random groups would explain.
 *
 * Source: Kelley, "An unbiased correlation ratio measure", PNAS 21(9), 1935.
 */
export function importanceOf(results: readonly Result[]): Importance[] | null {
  const paths = [...new Set(results.flatMap(({ values }) => Object.keys(values)))];
  const found = paths.flatMap((path): Importance[] => {
    const known = results.filter(({ values }) => path in values);
    const settings = known.map(({ values }) => values[path] as Json);
    const outcomes = known.map(({ value }) => value);
    const share = epsilonSquared(groupsOf(settings), outcomes);
    if (share === null) return [];
    return [
      { path, share, trend: isNumeric(settings) ? rankCorrelation(settings, outcomes) : null },
    ];
  });
  if (found.length === 0) return null;
  return found.sort((a, b) => b.share - a.share);
}

function isNumeric(values: readonly Json[]): values is number[] {
  return values.every((value) => typeof value === 'number');
}

/** The number of the group of each value: equal values, or of many numbers a bin of neighbours. */
function groupsOf(values: readonly Json[]): number[] {
  const distinct = values.filter(
    (value, index) => values.findIndex((other) => isEqual(other, value)) === index,
  );
  if (!isNumeric(values) || distinct.length <= MAX_BINS) {
    return values.map((value) => distinct.findIndex((other) => isEqual(other, value)));
  }
  const bins = Math.max(2, Math.min(MAX_BINS, Math.floor(Math.sqrt(values.length))));
  const ranks = ranksOf(values);
  return ranks.map((rank) => Math.min(bins - 1, Math.floor((rank / values.length) * bins)));
}

function epsilonSquared(groups: readonly number[], outcomes: readonly number[]): number | null {
  const num = outcomes.length;
  const members = new Map<number, number[]>();
  outcomes.forEach((value, index) => {
    const group = groups[index] ?? 0;
    members.set(group, [...(members.get(group) ?? []), value]);
  });
  if (members.size < 2 || num <= members.size) return null;
  const mean = meanOf(outcomes);
  const total = outcomes.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  if (total === 0) return 0;
  const within = [...members.values()].reduce((sum, group) => {
    const own = meanOf(group);
    return sum + group.reduce((rest, value) => rest + (value - own) ** 2, 0);
  }, 0);
  return Math.max(0, 1 - within / (num - members.size) / (total / (num - 1)));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Ranks from 0; equal values share the mean of theirs. */
function ranksOf(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal - 1) / 2;
  });
}

function rankCorrelation(a: readonly number[], b: readonly number[]): number | null {
  const [x, y] = [ranksOf(a), ranksOf(b)];
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  let [product, squareX, squareY] = [0, 0, 0];
  x.forEach((rank, index) => {
    const [dx, dy] = [rank - meanX, (y[index] ?? 0) - meanY];
    product += dx * dy;
    squareX += dx * dx;
    squareY += dy * dy;
  });
  return squareX === 0 || squareY === 0 ? null : product / Math.sqrt(squareX * squareY);
}
