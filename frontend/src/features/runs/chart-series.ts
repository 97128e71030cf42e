import type { RoundRow } from '@/api/types';
import { seriesColor } from '@/components/charts/palette';
import type { Point, Series } from '@/components/charts/types';
import { metricTitle } from '@/components/charts/metric-axes';
import type { ChartAxis } from '@/lib/url-state';

/** The points of a metric so far, kept so that a curve of many rounds is only ever continued. */
interface Line {
  numRounds: number;
  last: RoundRow;
  /** What all of these rounds have cost. */
  spent: number;
  points: readonly Point[];
}

/** By the first round of a run, which stays the same object while others are added. */
const lines = new WeakMap<RoundRow, Map<string, Line>>();

/**
 * Where each value of a metric lies; cost is what had been spent when its round ended. Rounds that
 * were not evaluated have no point.
 */
export function pointsOf(
  rounds: readonly RoundRow[],
  metric: string,
  axis: ChartAxis,
): readonly Point[] {
  const first = rounds[0];
  const last = rounds.at(-1);
  if (first === undefined || last === undefined) return [];
  const known = lines.get(first) ?? new Map<string, Line>();
  lines.set(first, known);
  const name = `${axis} ${metric}`;
  const old = known.get(name);
  const isContinued = old !== undefined && rounds[old.numRounds - 1] === old.last;
  const points = isContinued ? [...old.points] : [];
  let spent = isContinued ? old.spent : 0;
  for (const row of isContinued ? rounds.slice(old.numRounds) : rounds) {
    if (axis !== 'rounds') spent += costOf(row, axis);
    const value = row.metrics[metric];
    if (value !== undefined) points.push([axis === 'rounds' ? row.round : spent, value]);
  }
  known.set(name, { numRounds: rounds.length, last, spent, points });
  return points;
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
  axis: ChartAxis,
  { id, metrics }: MetricChart,
): Series[] {
  const first = id === 'accuracy' ? 0 : 1;
  return metrics.map((metric, index) => ({
    name: metricTitle(metric),
    color: seriesColor(first + index),
    points: pointsOf(rounds, metric, axis),
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
