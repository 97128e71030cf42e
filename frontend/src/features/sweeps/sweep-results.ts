import type { Sweep, SweepPoint, SweepRow, SweepState } from '@/api/types';
import { isEqual, type Json } from '@/lib/document-path';
import { formatMetric } from '@/lib/format';
import { settingText, settingTitle } from '@/lib/setting-text';
import { strings } from '@/strings';

const ENDED = ['succeeded', 'failed', 'cancelled'];

/** A state of a sweep in the colours of a run's. */
export const BADGES = {
  running: 'running',
  finished: 'succeeded',
  cancelled: 'cancelled',
} as const satisfies Record<SweepState, string>;

export function numEnded({ runs_by_state: counts }: Pick<SweepRow, 'runs_by_state'>): number {
  return ENDED.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
}

/** "Local: learning rate 0.1, Algorithm fedprox". */
export function describePoint({ values }: Pick<SweepPoint, 'values'>): string {
  const parts = Object.entries(values).map(
    ([path, value]) => `${settingTitle(path)} ${settingText(value)}`,
  );
  return parts.join(', ');
}

/** The settings that the sweep changes, in the order of its document. */
export function pathsOf({ points }: Pick<Sweep, 'points'>): string[] {
  return [...new Set(points.flatMap(({ values }) => Object.keys(values)))];
}

export interface CompletePoint extends SweepPoint {
  mean: number;
}

/** Points with a result, the best first. */
export function rankedPoints({ points, higher_is_better }: Sweep): CompletePoint[] {
  const sign = higher_is_better ? -1 : 1;
  return points
    .filter((point): point is CompletePoint => point.mean !== null)
    .sort((a, b) => sign * (a.mean - b.mean) || a.index - b.index);
}

/** The same point, wherever it was read. */
export function isSamePoint(a: SweepPoint, b: SweepPoint | null): boolean {
  return b !== null && a.index === b.index && isEqual(a.values as Json, b.values as Json);
}

export function formatMean(metric: string, { mean, std }: Pick<SweepPoint, 'mean' | 'std'>) {
  const value = formatMetric(metric, mean);
  return std === null ? value : strings.sweep.spread(value, formatMetric(metric, std));
}
