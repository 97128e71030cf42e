import { smoothed } from '@/lib/curves';
import { formatBytes, formatDuration, formatInteger, formatReal } from '@/lib/format';
import { humanize } from '@/lib/humanize';
import type { ChartAxis, CurveView } from '@/lib/url-state';
import { strings } from '@/strings';
import type { Axis, Series } from './types';

const { axisUnits, metrics } = strings.charts;

const X_AXES: Readonly<Record<ChartAxis, Axis>> = {
  rounds: { label: axisUnits.rounds, format: formatInteger, isInteger: true },
  bytes: { label: axisUnits.bytes, format: formatBytes },
  seconds: { label: axisUnits.seconds, format: formatDuration },
  simulated: { label: axisUnits.simulated, format: formatDuration },
};

export function xAxisOf({ x = 'rounds', logx = false }: CurveView): Axis {
  return { ...X_AXES[x], isLog: logx };
}

/** Shares are per cents, everything else plain numbers. */
export function yAxisOf(metric: string, { logy = false }: CurveView = {}): Axis {
  if (metric.includes('accuracy')) {
    return {
      label: strings.charts.shareOfExamples,
      isShare: true,
      format: (value) => `${Number((value * 100).toFixed(1))}%`,
      isLog: logy,
    };
  }
  const label = metric.includes('loss') ? strings.charts.lossUnit : '';
  return { label, format: formatReal, isLog: logy };
}

/** What people call a metric. */
export function metricTitle(metric: string): string {
  return (metrics as Record<string, string>)[metric] ?? humanize(metric);
}

export function isHigherBetter(metric: string): boolean {
  return !/loss|error|perplexity|epsilon|gap|variance/.test(metric);
}

/** A line as the user wants it: smooth, with what it was made of pale behind it. */
export function smoothLine(line: Series, { smooth = 0 }: CurveView): Series[] {
  if (smooth <= 0) return [line];
  return [
    { ...line, name: `${line.name} raw`, isFaint: true },
    { ...line, points: smoothed(line.points, smooth) },
  ];
}
