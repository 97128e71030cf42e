import { useMemo } from 'react';
import type { Sweep } from '@/api/types';
import { ChartFigure } from '@/components/charts/chart-figure';
import { metricTitle, yAxisOf } from '@/components/charts/metric-axes';
import { drawScatter } from '@/components/charts/scatter-chart';
import { Card } from '@/components/ui/card';
import { formatInteger } from '@/lib/format';
import { strings } from '@/strings';
import { describePoint, rankedPoints } from './sweep-results';

const text = strings.sweep;

/** Every result in the order in which the points were made, with the best so far. */
export function ResultsCard({ sweep }: { sweep: Sweep }) {
  const { metric, higher_is_better: isHigherBetter } = sweep;
  const points = useMemo(
    () =>
      rankedPoints(sweep)
        .sort((a, b) => a.index - b.index)
        .map((point) => ({
          name: describePoint(point),
          color: '--rh-series-1',
          x: point.index + 1,
          y: point.mean,
        })),
    [sweep],
  );
  const draw = useMemo(
    () =>
      drawScatter({
        points,
        x: { label: text.pointAxis, format: formatInteger, isInteger: true },
        y: yAxisOf(metric),
        isHigherBetter,
      }),
    [points, metric, isHigherBetter],
  );
  return (
    <Card title={text.resultsTitle} text={text.resultsText}>
      <ChartFigure
        id="results"
        title={metricTitle(metric)}
        axis={text.pointAxis}
        draw={draw}
        label={text.resultsTitle}
        numPoints={points.length}
        height="small"
        rows={() => [
          [text.pointAxis, text.columns.point, metricTitle(metric)],
          ...points.map(({ name, x, y }) => [x, name, y]),
        ]}
        placeholder={points.length === 0 ? text.noResults : undefined}
        exportName={`${sweep.name} results`}
      />
    </Card>
  );
}
