import { Select } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Comparison } from '@/api/types';
import { ChartFigure } from '@/components/charts/chart-figure';
import { isHigherBetter, metricTitle, xAxisOf, yAxisOf } from '@/components/charts/metric-axes';
import { drawParallel } from '@/components/charts/parallel-chart';
import { drawScatter } from '@/components/charts/scatter-chart';
import { Card } from '@/components/ui/card';
import { readCompareSearch, type ChartAxis } from '@/lib/url-state';
import { settingText, settingTitle } from '@/lib/setting-text';
import { strings } from '@/strings';
import classes from './compare-page.module.css';
import { bestOf, costOf, groupsOf } from './groups';
import { MetricSelect, useChosenView } from './view-tools';

const text = strings.compare;
const route = getRouteApi('/member/compare');
const COSTS = Object.keys(text.costs) as ChartAxis[];
/** More axes than this cannot be read side by side. */
const MAX_AXES = 8;

/** What each run reached against what it cost. */
export function CostPanel({ comparison }: { comparison: Comparison }) {
  const { metric } = useChosenView(comparison);
  const { cost = 'bytes' } = route.useSearch();
  const navigate = route.useNavigate();
  const points = useMemo(
    () =>
      groupsOf(comparison, undefined).flatMap(({ name, color, members }) =>
        members.flatMap(({ run }) => {
          const y = bestOf(run, metric);
          return y === null ? [] : [{ name, color, x: costOf(run, cost), y }];
        }),
      ),
    [comparison, metric, cost],
  );
  const draw = useMemo(
    () =>
      drawScatter({
        points,
        x: { ...xAxisOf({ x: cost }), label: text.costs[cost] },
        y: yAxisOf(metric),
        isHigherBetter: isHigherBetter(metric),
      }),
    [points, metric, cost],
  );
  const title = text.scatterTitle(metricTitle(metric), text.costs[cost]);
  return (
    <div className={classes['panel']}>
      <Card title={text.tabs.cost} text={text.scatterText}>
        <div className={classes['tools']}>
          <MetricSelect comparison={comparison} />
          <Select
            size="xs"
            label={text.cost}
            data={COSTS.map((value) => ({ value, label: text.costs[value] }))}
            value={cost}
            allowDeselect={false}
            onChange={(next) => {
              void navigate({
                search: (old) => readCompareSearch({ ...old, cost: next }),
                replace: true,
                resetScroll: false,
              });
            }}
          />
        </div>
        <ChartFigure
          id="cost"
          title={title}
          unit={text.reached}
          axis={text.costs[cost]}
          draw={draw}
          label={title}
          numPoints={points.length}
          height="large"
          rows={() => [
            [text.columns.run, text.costs[cost], metricTitle(metric)],
            ...points.map(({ name, x, y }) => [name, x, y]),
          ]}
          placeholder={points.length === 0 ? text.noPoints : undefined}
        />
      </Card>
      {comparison.differences.length > 0 && (
        <ParallelCard comparison={comparison} metric={metric} />
      )}
    </div>
  );
}

function ParallelCard({ comparison, metric }: { comparison: Comparison; metric: string }) {
  const { axes, lines } = useMemo(() => {
    const settings = comparison.differences.slice(0, MAX_AXES).map(({ path, values }) => ({
      name: settingTitle(path),
      values: values.map((value) => (typeof value === 'number' ? value : settingText(value))),
    }));
    const reached = {
      name: metricTitle(metric),
      values: comparison.runs.map((run) => bestOf(run, metric)),
    };
    return {
      axes: [...settings, reached],
      lines: groupsOf(comparison, undefined).map(({ name, color }) => ({ name, color })),
    };
  }, [comparison, metric]);
  const draw = useMemo(() => drawParallel({ axes, lines }), [axes, lines]);
  return (
    <Card title={text.parallelTitle} text={text.parallelText}>
      <ChartFigure
        id="parallel"
        title={text.parallelTitle}
        draw={draw}
        label={text.parallelTitle}
        numPoints={lines.length}
        rows={() => [
          [text.columns.run, ...axes.map((axis) => axis.name)],
          ...lines.map((line, index) => [line.name, ...axes.map((axis) => axis.values[index])]),
        ]}
      />
    </Card>
  );
}
