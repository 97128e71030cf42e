import { memo, useDeferredValue, useMemo, useRef, useState } from 'react';
import type { RunHistory } from '@/api/runs';
import type { RoundRow, Run } from '@/api/types';
import { LineFigure } from '@/components/charts/line-figure';
import { metricTitle, smoothLine, xAxisOf, yAxisOf } from '@/components/charts/metric-axes';
import { Card } from '@/components/ui/card';
import { formatMetric } from '@/lib/format';
import { useOnScreen } from '@/lib/use-on-screen';
import type { CurveView } from '@/lib/url-state';
import { strings } from '@/strings';
import { chartsOf, seriesOf, type MetricChart } from './chart-series';
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
  // Curves may lag behind the numbers: what is clicked or typed comes first.
  const { rounds, numRounds, metrics } = useDeferredValue(history);
  const charts = useMemo(
    () => chartsOf(metrics).filter(({ id }) => isComplete || MAIN.includes(id)),
    [metrics, isComplete],
  );
  return (
    <Card
      title={text.title}
      {...(numRounds > rounds.length && { text: text.downSampled(rounds.length, numRounds) })}
      aside={<RunCurveControls />}
    >
      <div className={classes['charts']}>
        {charts.map((chart) => (
          <MetricFigure
            key={chart.id}
            chart={chart}
            rounds={rounds}
            view={view}
            runId={run.id}
            runName={run.name}
            isFinal={run.is_final}
          />
        ))}
      </div>
    </Card>
  );
}

interface MetricFigureProps {
  chart: MetricChart;
  rounds: readonly RoundRow[];
  view: Required<CurveView>;
  runId: string;
  runName: string;
  isFinal: boolean;
}

/** One chart; each by itself, so that between two of them the page can answer its user. */
const MetricFigure = memo(function MetricFigure(props: MetricFigureProps) {
  const { chart, view, runId, runName, isFinal } = props;
  const box = useRef<HTMLDivElement>(null);
  const rounds = useSeen(props.rounds, useOnScreen(box));
  const { last, numPoints, series, x, y } = useMemo(() => {
    const lines = seriesOf(rounds, view.x, chart);
    return {
      last: lines[0]?.points.at(-1)?.[1],
      numPoints: lines[0]?.points.length ?? 0,
      series: lines.flatMap((line) => smoothLine(line, view)),
      x: xAxisOf(view),
      y: yAxisOf(chart.id, view),
    };
  }, [rounds, view, chart]);
  const title = metricTitle(chart.id);
  return (
    <div ref={box} className={classes['chart']}>
      <LineFigure
        id={chart.id}
        title={chart.id === 'loss' ? text.loss : title}
        series={series}
        x={x}
        y={y}
        label={strings.charts.summary(title, numPoints, formatMetric(chart.id, last))}
        group={runId}
        placeholder={isFinal ? text.none : text.waiting}
        exportName={`${runName} ${title}`}
      />
    </div>
  );
});

/** A value as it was when it was last on the screen: what nobody sees need not keep up. */
function useSeen<T>(value: T, isSeen: boolean): T {
  const [seen, setSeen] = useState(value);
  if (!isSeen || seen === value) return seen;
  setSeen(value);
  return value;
}
