import type { RoundRow } from '@/api/types';
import type { Axis, Point } from '@/components/charts/types';
import { formatBytes, formatDuration, formatInteger, formatReal } from '@/lib/format';
import type { ChartAxis } from '@/lib/url-state';
import { strings } from '@/strings';

const { axisUnits, accuracyUnit, lossUnit } = strings.run.charts;

export const X_AXES: Readonly<Record<ChartAxis, Axis>> = {
  rounds: { label: axisUnits.rounds, format: formatInteger, isInteger: true },
  seconds: { label: axisUnits.seconds, format: formatDuration },
  bytes: { label: axisUnits.bytes, format: formatBytes },
};

export const ACCURACY_AXIS: Axis = {
  label: accuracyUnit,
  format: (value) => `${Number((value * 100).toFixed(1))}%`,
};

export const LOSS_AXIS: Axis = { label: lossUnit, format: formatReal };

/** Where each round lies on the horizontal axis; cost is what had been spent when it ended. */
export function positionsOf(rounds: readonly RoundRow[], axis: ChartAxis): readonly number[] {
  if (axis === 'rounds') return rounds.map((row) => row.round);
  let spent = 0;
  return rounds.map((row) => {
    spent += axis === 'seconds' ? row.seconds : row.bytes_up + row.bytes_down;
    return spent;
  });
}

/** The points of one metric; rounds that were not evaluated have none. */
export function pointsOf(
  rounds: readonly RoundRow[],
  positions: readonly number[],
  metric: string,
): readonly Point[] {
  return rounds.flatMap((row, index): Point[] => {
    const value = row.metrics[metric];
    const position = positions[index];
    return value === undefined || position === undefined ? [] : [[position, value]];
  });
}

/** The best value so far, or undefined before the first evaluation. */
export function bestOf(rounds: readonly RoundRow[], metric: string): number | undefined {
  return rounds.reduce<number | undefined>((best, row) => {
    const value = row.metrics[metric];
    return value == null || (best !== undefined && best >= value) ? best : value;
  }, undefined);
}
