import type { ComparedRun, Comparison } from '@/api/types';
import { seriesColor } from '@/components/charts/palette';
import type { Series } from '@/components/charts/types';
import { isHigherBetter } from '@/components/charts/metric-axes';
import { deviationOf, meanCurve, meanOf } from '@/lib/curves';
import { isEqual, type Json } from '@/lib/document-path';
import { settingText } from '@/lib/setting-text';
import type { ChartAxis } from '@/lib/url-state';
import { strings } from '@/strings';

/** Runs that are shown as one: alone, or together with those that agree on a setting. */
export interface RunGroup {
  name: string;
  color: string;
  members: readonly { run: ComparedRun; index: number }[];
}

export function groupsOf({ runs, differences }: Comparison, by: string | undefined): RunGroup[] {
  const all = runs.map((run, index) => ({ run, index }));
  const setting = differences.find(({ path }) => path === by);
  if (setting === undefined) {
    const names = uniqueNames(runs);
    return all.map((member, index) => ({
      name: names[index] ?? '',
      color: seriesColor(index),
      members: [member],
    }));
  }
  const values = setting.values as (Json | null)[];
  const distinct = values.filter(
    (value, index) => values.findIndex((other) => isEqual(other, value)) === index,
  );
  return distinct.map((value, index) => ({
    name: settingText(value),
    color: seriesColor(index),
    members: all.filter((member) => isEqual(values[member.index], value)),
  }));
}

/** Names, with the run's number where two runs have the same. */
function uniqueNames(runs: readonly ComparedRun[]): string[] {
  return runs.map(({ run }, index) => {
    const twins = runs.filter((other) => other.run.name === run.name).length;
    return twins > 1 ? `${run.name} (${index + 1})` : run.name;
  });
}

const COLUMNS = {
  rounds: 'round',
  bytes: 'bytes',
  seconds: 'seconds',
  simulated: 'sim_seconds',
} as const;

function pointsOf({ curve }: ComparedRun, metric: string, axis: ChartAxis) {
  const positions = curve[COLUMNS[axis]];
  return (curve.metrics[metric] ?? []).flatMap((value, index) => {
    const position = positions[index];
    return position === undefined || value === null ? [] : [[position, value] as const];
  });
}

/** One line per group; the mean of several runs has a band of one standard deviation. */
export function seriesOf(group: RunGroup, metric: string, axis: ChartAxis): Series {
  const { name, color, members } = group;
  const curves = members.map(({ run }) => pointsOf(run, metric, axis));
  const [only] = curves;
  if (curves.length === 1 && only !== undefined) return { name, color, points: only };
  const title = `${name} (${strings.compare.grouped(members.length)})`;
  return { name: title, color, ...meanCurve(curves) };
}

/** Every metric that at least one run has, the usual ones first. */
export function metricsOf({ runs }: Comparison): string[] {
  const found = new Set(runs.flatMap(({ curve }) => Object.keys(curve.metrics)));
  const usual = ['accuracy', 'loss', 'train_loss'].filter((name) => found.has(name));
  return [...usual, ...[...found].filter((name) => !usual.includes(name)).sort()];
}

export function lastOf({ curve }: ComparedRun, metric: string): number | null {
  return (curve.metrics[metric] ?? []).findLast((value) => value !== null) ?? null;
}

export function bestOf({ curve }: ComparedRun, metric: string): number | null {
  const values = (curve.metrics[metric] ?? []).filter((value) => value !== null);
  if (values.length === 0) return null;
  return isHigherBetter(metric) ? Math.max(...values) : Math.min(...values);
}

export function costOf({ run }: ComparedRun, axis: ChartAxis): number {
  switch (axis) {
    case 'rounds':
      return run.rounds_done;
    case 'bytes':
      return run.totals.bytes_up + run.totals.bytes_down;
    case 'seconds':
      return run.totals.seconds;
    case 'simulated':
      return run.totals.sim_seconds;
  }
}

interface Spread {
  mean: number;
  /** Null for a single value. */
  deviation: number | null;
}

export function spreadOf(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null);
  const mean = meanOf(known);
  return mean === null ? null : { mean, deviation: deviationOf(known) };
}
