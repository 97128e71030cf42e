import { useMemo } from 'react';
import type { RunHistory } from '@/api/runs';
import type { Run } from '@/api/types';
import { LineFigure } from '@/components/charts/line-figure';
import { metricTitle, smoothLine, xAxisOf, yAxisOf } from '@/components/charts/metric-axes';
import { Card } from '@/components/ui/card';
import { formatMetric } from '@/lib/format';
import { strings } from '@/strings';
import { chartsOf, positionsOf, seriesOf } from './chart-series';
import { RunCurveControls, useCurveView } from './curve-view';
import classes from './run-charts.module.css';

const text = strings.run.charts;
/** What the overview shows; the other metrics have their own tab. */
const MAIN = ['accuracy', 'loss'];

interface RunChartsProps {
  run: Run;
  history: RunHistory;
  /** Every metric, instead of the main ones. */
  isComplete?: boolean;
}

/** The curves of a run, against rounds or against what they cost. */
export function RunCharts({ run, history, isComplete = false }: RunChartsProps) {
  const view = useCurveView();
  const { rounds, numRounds } = history;
  const charts = useMemo(() => {
    const positions = positionsOf(rounds, view.x);
    return chartsOf(rounds)
      .filter(({ id }) => isComplete || MAIN.includes(id))
      .map((chart) => {
        const lines = seriesOf(rounds, positions, chart);
        return {
          id: chart.id,
          last: lines[0]?.points.at(-1)?.[1],
          numPoints: lines[0]?.points.length ?? 0,
          series: lines.flatMap((line) => smoothLine(line, view)),
          x: xAxisOf(view),
          y: yAxisOf(chart.id, view),
        };
      });
  }, [rounds, view, isComplete]);

  return (
    <Card
      title={text.title}
      {...(numRounds > rounds.length && { text: text.downSampled(rounds.length, numRounds) })}
      aside={<RunCurveControls />}
    >
      <div className={classes['charts']}>
        {charts.map(({ id, last, numPoints, series, x, y }) => (
          <LineFigure
            key={id}
            id={id}
            title={id === 'loss' ? text.loss : metricTitle(id)}
            series={series}
            x={x}
            y={y}
            label={strings.charts.summary(metricTitle(id), numPoints, formatMetric(id, last))}
            group={run.id}
            placeholder={run.is_final ? text.none : text.waiting}
            exportName={`${run.name} ${metricTitle(id)}`}
          />
        ))}
      </div>
    </Card>
  );
}
