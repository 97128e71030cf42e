import type { RoundRow } from '@/api/types';
import { seriesColor } from '@/components/charts/palette';
import type { Point, Series } from '@/components/charts/types';
import { metricTitle } from '@/components/charts/metric-axes';
import type { ChartAxis } from '@/lib/url-state';

/** Where each round lies on the horizontal axis; cost is what had been spent when it ended. */
export function positionsOf(rounds: readonly RoundRow[], axis: ChartAxis): readonly number[] {
  if (axis === 'rounds') return rounds.map((row) => row.round);
  let spent = 0;
  return rounds.map((row) => {
    spent += costOf(row, axis);
    return spent;
  });
}

function costOf(row: RoundRow, axis: Exclude<ChartAxis, 'rounds'>): number {
  switch (axis) {
    case 'bytes':
      return row.bytes_up + row.bytes_down;
    case 'seconds':
      return row.seconds;
    case 'simulated':
      return row.sim_seconds;
  }
}

/** The points of one metric; rounds that were not evaluated have none. */
function pointsOf(
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

/** What is drawn together: losses in one chart, every other metric in its own. */
export interface MetricChart {
  id: string;
  metrics: readonly string[];
}

const ACCURACY: MetricChart = { id: 'accuracy', metrics: ['accuracy'] };
const LOSSES: MetricChart = { id: 'loss', metrics: ['loss', 'train_loss'] };
const MAIN = [ACCURACY, LOSSES];

/** The charts of a run with these metrics; before it has any, the two that nearly all have. */
export function chartsOf(metrics: readonly string[]): MetricChart[] {
  const main = MAIN.flatMap((chart) => chart.metrics);
  const others = metrics.filter((name) => !main.includes(name)).sort();
  return [
    ...MAIN.filter(
      (chart) => metrics.length === 0 || chart.metrics.some((name) => metrics.includes(name)),
    ),
    ...others.map((name) => ({ id: name, metrics: [name] })),
  ];
}

export function seriesOf(
  rounds: readonly RoundRow[],
  positions: readonly number[],
  { id, metrics }: MetricChart,
): Series[] {
  const first = id === 'accuracy' ? 0 : 1;
  return metrics.map((metric, index) => ({
    name: metricTitle(metric),
    color: seriesColor(first + index),
    points: pointsOf(rounds, positions, metric),
    isDashed: metric === 'train_loss',
  }));
}

/** The best value so far, or undefined before the first evaluation. */
export function bestOf(rounds: readonly RoundRow[], metric: string): number | undefined {
  return rounds.reduce<number | undefined>((best, row) => {
    const value = row.metrics[metric];
    return value == null || (best !== undefined && best >= value) ? best : value;
  }, undefined);
}
