import { SegmentedControl } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import type { RunHistory } from '@/api/runs';
import type { Run } from '@/api/types';
import { LazyLineChart } from '@/components/charts/lazy-line-chart';
import type { Axis, Series } from '@/components/charts/types';
import { Card } from '@/components/ui/card';
import { formatMetric } from '@/lib/format';
import { CHART_AXES } from '@/lib/url-state';
import { strings } from '@/strings';
import { ACCURACY_AXIS, LOSS_AXIS, pointsOf, positionsOf, X_AXES } from './chart-series';
import classes from './run-charts.module.css';

const text = strings.run.charts;
const route = getRouteApi('/member/runs/$runId');

/** Accuracy and loss, against rounds or against what they cost. */
export function RunCharts({ run, history }: { run: Run; history: RunHistory }) {
  const { x: axis = 'rounds' } = route.useSearch();
  const navigate = route.useNavigate();
  const { rounds, numRounds } = history;
  const { accuracy, loss } = useMemo(() => {
    const positions = positionsOf(rounds, axis);
    const series = (name: string, metric: string, color: string, isDashed = false): Series => ({
      name,
      color,
      isDashed,
      points: pointsOf(rounds, positions, metric),
    });
    return {
      accuracy: [series(text.testLoss, 'accuracy', '--rh-series-1')],
      loss: [
        series(text.testLoss, 'loss', '--rh-series-2'),
        series(text.trainLoss, 'train_loss', '--rh-series-3', true),
      ],
    };
  }, [rounds, axis]);

  return (
    <Card
      title={text.title}
      {...(numRounds > rounds.length && { text: text.downSampled(rounds.length, numRounds) })}
      aside={
        <SegmentedControl
          size="xs"
          aria-label={text.axis}
          value={axis}
          onChange={(next) => {
            void navigate({
              search: (old) => ({
                ...old,
                x: CHART_AXES.find((known) => known === next) ?? 'rounds',
              }),
              replace: true,
              resetScroll: false,
            });
          }}
          data={CHART_AXES.map((value) => ({ value, label: text.axes[value] }))}
        />
      }
    >
      <div className={classes['charts']}>
        <Chart
          run={run}
          title={text.accuracy}
          metric="accuracy"
          series={accuracy}
          y={ACCURACY_AXIS}
          x={X_AXES[axis]}
        />
        <Chart
          run={run}
          title={text.loss}
          metric="loss"
          series={loss}
          y={LOSS_AXIS}
          x={X_AXES[axis]}
        />
      </div>
    </Card>
  );
}

interface ChartProps {
  run: Run;
  title: string;
  metric: string;
  series: readonly Series[];
  x: Axis;
  y: Axis;
}

function Chart({ run, title, metric, series, x, y }: ChartProps) {
  const main = series[0]?.points ?? [];
  const last = main.at(-1)?.[1];
  const label = text.summary(title, main.length, formatMetric(metric, last));
  return (
    <figure className={classes['figure']} data-chart={metric} data-points={main.length}>
      <figcaption className={classes['caption']}>
        <span className={classes['title']}>{title}</span>
        <span className={classes['unit']}>{y.label}</span>
        {series.length > 1 && <Legend series={series} />}
      </figcaption>
      <div className={classes['plot']}>
        {main.length === 0 ? (
          <Placeholder>{run.is_final ? text.none : text.waiting}</Placeholder>
        ) : (
          <LazyLineChart series={series} x={x} y={y} label={label} group={run.id} />
        )}
      </div>
      <p className={classes['axis']}>{x.label}</p>
    </figure>
  );
}

function Legend({ series }: { series: readonly Series[] }) {
  return (
    <span className={classes['legend']}>
      {series.map(({ name, color, isDashed }) => (
        <span key={name} className={classes['entry']}>
          <svg width="16" height="4" aria-hidden>
            <line
              x1="0"
              x2="16"
              y1="2"
              y2="2"
              stroke={`var(${color})`}
              strokeWidth="2.5"
              {...(isDashed && { strokeDasharray: '5 3' })}
            />
          </svg>
          {name}
        </span>
      ))}
    </span>
  );
}

function Placeholder({ children }: { children: ReactNode }) {
  return <p className={classes['placeholder']}>{children}</p>;
}
