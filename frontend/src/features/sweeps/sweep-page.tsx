import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { sweepQuery } from '@/api/sweeps';
import type { Sweep } from '@/api/types';
import { metricTitle } from '@/components/charts/metric-axes';
import { Failure, Loading } from '@/components/ui/feedback';
import { StatTiles } from '@/components/ui/stat-tile';
import { formatInteger } from '@/lib/format';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { BestCard } from './best-card';
import { ImportanceCard } from './importance-card';
import { ParallelCard } from './parallel-card';
import { PointsCard } from './points-card';
import { ResultsCard } from './results-card';
import { SweepHeader } from './sweep-header';
import classes from './sweep-page.module.css';
import { formatMean, numEnded } from './sweep-results';

const text = strings.sweep;
const route = getRouteApi('/member/sweeps/$jobId');
const LIVE_MS = 2_000;

/** How a sweep does: what is best, what matters, and every point with its runs. */
export function SweepPage() {
  const { jobId } = route.useParams();
  const sweep = useQuery({
    ...sweepQuery(jobId),
    refetchInterval: ({ state: { data } }) => (isUnderWay(data) ? LIVE_MS : false),
  });
  usePageTitle(sweep.data?.name ?? text.loading);
  if (sweep.isPending) return <Loading label={text.loading} rows={6} />;
  if (sweep.data === undefined) {
    return <Failure error={sweep.error} onRetry={() => void sweep.refetch()} />;
  }
  return (
    <article aria-label={sweep.data.name} className={classes['page']}>
      <SweepHeader sweep={sweep.data} />
      <Tiles sweep={sweep.data} />
      <div className={classes['pair']}>
        <BestCard sweep={sweep.data} />
        <ImportanceCard sweep={sweep.data} />
      </div>
      <ResultsCard sweep={sweep.data} />
      <ParallelCard sweep={sweep.data} />
      <PointsCard sweep={sweep.data} />
    </article>
  );
}

/** Whether there will be news: also while the runs of a stopped sweep are stopping. */
function isUnderWay(sweep: Sweep | undefined): boolean {
  if (sweep === undefined) return false;
  const made = Object.values(sweep.runs_by_state).reduce((sum, count) => sum + count, 0);
  return sweep.state === 'running' || numEnded(sweep) < made;
}

function Tiles({ sweep }: { sweep: Sweep }) {
  const { best, metric, runs_by_state: counts, points } = sweep;
  const pruned = points.flatMap(({ runs }) => runs).filter((run) => run.pruned).length;
  const underWay = ['queued', 'starting', 'running', 'paused'].reduce(
    (sum, state) => sum + (counts[state] ?? 0),
    0,
  );
  return (
    <StatTiles
      stats={[
        {
          label: text.tiles.best(metricTitle(metric)),
          value: best === null ? '–' : formatMean(metric, best),
        },
        {
          label: text.tiles.runs,
          value: formatInteger(numEnded(sweep)),
          detail: text.tiles.ofTotal(sweep.runs_total),
        },
        { label: text.tiles.underWay, value: formatInteger(underWay) },
        {
          label: text.tiles.failed,
          value: formatInteger(counts['failed'] ?? 0),
          ...(pruned > 0 && { detail: text.tiles.pruned(pruned) }),
        },
      ]}
    />
  );
}
