import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Comparison } from '@/api/types';
import { CurveControls } from '@/components/charts/curve-controls';
import { LineFigure } from '@/components/charts/line-figure';
import { metricTitle, smoothLine, xAxisOf, yAxisOf } from '@/components/charts/metric-axes';
import { Card } from '@/components/ui/card';
import { curveSearch } from '@/lib/url-state';
import { strings } from '@/strings';
import classes from './compare-page.module.css';
import { groupsOf, seriesOf } from './groups';
import { GroupSelect, MetricSelect, useChosenView } from './view-tools';

const text = strings.compare;
const route = getRouteApi('/member/compare');

/** All runs in one chart; grouped runs as their mean with a band. */
export function CurvesPanel({ comparison }: { comparison: Comparison }) {
  const { x = 'rounds', logx = false, logy = false, smooth = 0 } = route.useSearch();
  const navigate = route.useNavigate();
  const { metric, group } = useChosenView(comparison);
  const { series, axes } = useMemo(() => {
    const view = { x, logx, logy, smooth };
    const lines = groupsOf(comparison, group).map((each) => seriesOf(each, metric, x));
    return {
      series: lines.flatMap((line) => smoothLine(line, view)),
      axes: { x: xAxisOf(view), y: yAxisOf(metric, view) },
    };
  }, [comparison, group, metric, x, logx, logy, smooth]);
  const title = metricTitle(metric);

  return (
    <Card title={text.tabs.curves}>
      <div className={classes['tools']}>
        <MetricSelect comparison={comparison} />
        <GroupSelect comparison={comparison} />
        <CurveControls
          view={{ x, logx, logy, smooth }}
          onChange={(view) => {
            void navigate({
              search: ({ runs, tab, metric: m, group: g, cost }) => ({
                ...(runs !== undefined && { runs }),
                ...(tab !== undefined && { tab }),
                ...(m !== undefined && { metric: m }),
                ...(g !== undefined && { group: g }),
                ...(cost !== undefined && { cost }),
                ...curveSearch(view),
              }),
              replace: true,
              resetScroll: false,
            });
          }}
        />
      </div>
      <LineFigure
        id={metric}
        title={title}
        series={series}
        x={axes.x}
        y={axes.y}
        height="large"
        label={strings.charts.summary(title, series.length, '')}
        placeholder={text.noPoints}
        exportName={`compare ${title}`}
      />
      {group !== undefined && <p className={classes['note']}>{text.band}</p>}
    </Card>
  );
}
