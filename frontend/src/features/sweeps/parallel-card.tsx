import { useMemo } from 'react';
import type { Sweep } from '@/api/types';
import { ChartFigure } from '@/components/charts/chart-figure';
import { metricTitle } from '@/components/charts/metric-axes';
import { drawParallel } from '@/components/charts/parallel-chart';
import { Card } from '@/components/ui/card';
import { settingText, settingTitle } from '@/lib/setting-text';
import { strings } from '@/strings';
import { describePoint, pathsOf, rankedPoints } from './sweep-results';

const text = strings.sweep;
/** More axes than this cannot be read side by side. */
const MAX_AXES = 8;
const BEST_SHARE = 0.25;

/** One line per point across its settings to what it reached. */
export function ParallelCard({ sweep }: { sweep: Sweep }) {
  const { metric } = sweep;
  const { axes, lines } = useMemo(() => {
    const ranked = rankedPoints(sweep);
    const numBest = Math.ceil(ranked.length * BEST_SHARE);
    // The best last, so that they are drawn over the others.
    const points = ranked.reverse();
    const settings = pathsOf(sweep)
      .slice(0, MAX_AXES)
      .map((path) => ({
        name: settingTitle(path),
        values: points.map(({ values }) => {
          const value: unknown = values[path];
          return typeof value === 'number' ? value : settingText(value);
        }),
      }));
    return {
      axes: [...settings, { name: metricTitle(metric), values: points.map(({ mean }) => mean) }],
      lines: points.map((point, index) => ({
        name: describePoint(point),
        color: index >= points.length - numBest ? '--rh-series-1' : '--rh-series-10',
      })),
    };
  }, [sweep, metric]);
  const draw = useMemo(() => drawParallel({ axes, lines }), [axes, lines]);
  if (axes.length < 2 || lines.length < 2) return null;
  return (
    <Card title={text.parallelTitle} text={text.parallelText}>
      <ChartFigure
        id="parallel"
        title={text.parallelTitle}
        draw={draw}
        label={text.parallelTitle}
        numPoints={lines.length}
        rows={() => [
          axes.map((axis) => axis.name),
          ...lines.map((_, index) => axes.map((axis) => axis.values[index] ?? null)),
        ]}
        exportName={`${sweep.name} settings`}
      />
    </Card>
  );
}
