import { Button } from '@mantine/core';
import { IconAdjustments, IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { sweepListQuery } from '@/api/sweeps';
import type { SweepRow } from '@/api/types';
import { metricTitle } from '@/components/charts/metric-axes';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import classes from '@/components/ui/line-list.module.css';
import { ButtonLink, TextLink } from '@/components/ui/links';
import { PageHeader } from '@/components/ui/page-header';
import { ProgressLine } from '@/components/ui/progress-line';
import { StateBadge } from '@/components/ui/state-badge';
import { formatAge, formatDateTime } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { BADGES, describePoint, formatMean, numEnded } from './sweep-results';

const text = strings.sweeps;
const BUSY_MS = 3_000;
const IDLE_MS = 15_000;

export function SweepListPage() {
  usePageTitle(text.title);
  const sweeps = useInfiniteQuery({
    ...sweepListQuery,
    refetchInterval: ({ state: { data } }) => {
      const rows = data?.pages.flatMap((page) => page.results) ?? [];
      return rows.some(({ state }) => state === 'running') ? BUSY_MS : IDLE_MS;
    },
  });
  const rows = sweeps.data?.pages.flatMap((page) => page.results);
  return (
    <>
      <PageHeader
        title={text.title}
        lead={text.lead}
        actions={
          <ButtonLink to="/sweeps/new" leftSection={<IconPlus size={16} aria-hidden />}>
            {text.new}
          </ButtonLink>
        }
      />
      {sweeps.isPending && <Loading label={text.loading} rows={5} />}
      {sweeps.isError && rows === undefined && (
        <Failure error={sweeps.error} onRetry={() => void sweeps.refetch()} />
      )}
      {rows?.length === 0 && (
        <Empty
          icon={<IconAdjustments size={34} stroke={1.4} color="var(--rh-text-dim)" aria-hidden />}
          title={text.emptyTitle}
          text={text.emptyText}
          action={<ButtonLink to="/sweeps/new">{text.emptyAction}</ButtonLink>}
        />
      )}
      {rows && rows.length > 0 && (
        <ul className={classes['list']} aria-label={text.list}>
          {rows.map((row) => (
            <Line key={row.job} sweep={row} />
          ))}
        </ul>
      )}
      {sweeps.hasNextPage && (
        <Button
          variant="default"
          mt="md"
          loading={sweeps.isFetchingNextPage}
          onClick={() => void sweeps.fetchNextPage()}
        >
          {text.loadMore}
        </Button>
      )}
    </>
  );
}

function Line({ sweep }: { sweep: SweepRow }) {
  const now = useNow();
  const { best, metric, state } = sweep;
  const ended = numEnded(sweep);
  const progress = text.ended(ended, sweep.runs_total);
  return (
    <li className={classes['line']}>
      <div className={classes['part']}>
        <TextLink to="/sweeps/$jobId" params={{ jobId: sweep.job }} className={classes['name']}>
          {sweep.name}
        </TextLink>
        <time
          className={classes['dim']}
          dateTime={sweep.created_at}
          title={formatDateTime(sweep.created_at)}
        >
          {text.created(formatAge(sweep.created_at, now), sweep.created_by)}
        </time>
      </div>
      <div>
        <StateBadge state={BADGES[state]} label={strings.sweepStates[state]} />
      </div>
      <div className={classes['part']}>
        <span className={classes['dim']}>{progress}</span>
        <ProgressLine
          done={ended}
          total={sweep.runs_total}
          label={progress}
          tone={state === 'cancelled' ? 'muted' : 'brand'}
        />
      </div>
      <div className={classes['part']}>
        {best === null ? (
          <span className={classes['dim']}>{text.noBest}</span>
        ) : (
          <>
            <span>{text.best(metricTitle(metric), formatMean(metric, best))}</span>
            <span className={classes['dim']}>{describePoint(best)}</span>
          </>
        )}
      </div>
    </li>
  );
}
