import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconRefresh } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Fragment, type ReactNode } from 'react';
import { asApiError } from '@/api/errors';
import { kindText } from '@/api/kind-texts';
import { controlRun, runKeys } from '@/api/runs';
import { catalogueQuery } from '@/api/spec';
import type { RunListItem } from '@/api/types';
import { TextLink } from '@/components/ui/links';
import { ProgressLine } from '@/components/ui/progress-line';
import { StateBadge } from '@/components/ui/state-badge';
import { formatAge, formatDateTime, formatDuration, formatMetric } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { strings } from '@/strings';
import classes from './home-page.module.css';

const text = strings.home;

interface LineProps {
  run: RunListItem;
}

/** The name of a run, and at the right of it what matters most. */
function Head({ run, children }: LineProps & { children?: ReactNode }) {
  return (
    <div className={classes['head']}>
      <TextLink to="/runs/$runId" params={{ runId: run.id }} className={classes['name']}>
        {run.name} <span className={classes['number']}>{strings.run.number(run.number)}</span>
      </TextLink>
      {children}
    </div>
  );
}

function Details({ parts }: { parts: readonly ReactNode[] }) {
  return (
    <p className={classes['details']}>
      {parts.filter(isShown).map((part, index) => (
        <Fragment key={index}>
          {index > 0 && ' · '}
          {part}
        </Fragment>
      ))}
    </p>
  );
}

function isShown(part: ReactNode): boolean {
  return part !== false && part !== null && part !== undefined;
}

function Age({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={formatDateTime(at)}>
      {text.ended(formatAge(at, now))}
    </time>
  );
}

function useSetup(run: RunListItem): string {
  const { data: catalogue } = useQuery(catalogueQuery);
  const title = (section: string, kind: string) => kindText(catalogue, section, kind).title;
  return text.where(title('algorithm', run.method), title('dataset', run.dataset));
}

function accuracyOf(run: RunListItem): string | false {
  const value = run.latest_metrics['accuracy'];
  return value == null ? false : text.result(formatMetric('accuracy', value));
}

export function RunningRun({ run }: LineProps) {
  const setup = useSetup(run);
  const rounds = strings.runList.progress(run.rounds_done, run.rounds_total);
  return (
    <>
      <Head run={run}>
        <StateBadge state={run.state} />
      </Head>
      <ProgressLine done={run.rounds_done} total={run.rounds_total} label={rounds} />
      <Details
        parts={[
          rounds,
          run.eta_s !== null && text.left(formatDuration(Math.ceil(run.eta_s))),
          accuracyOf(run),
          setup,
        ]}
      />
    </>
  );
}

export function WaitingRun({ run: { queue, ...run } }: LineProps) {
  const position = queue === null ? null : queue.position;
  return (
    <>
      <Head run={{ queue, ...run }}>
        {position !== null && (
          <span className={classes['position']} title={text.position(position)}>
            {strings.run.number(position)}
          </span>
        )}
      </Head>
      <Details
        parts={[
          queue?.reason,
          queue?.starts_in_s != null &&
            (queue.starts_in_s < 1
              ? text.startsNow
              : text.startsIn(formatDuration(queue.starts_in_s))),
        ]}
      />
    </>
  );
}

export function FailedRun({ run }: LineProps) {
  const { failure } = run;
  return (
    <>
      <Head run={run}>{run.allowed_actions.includes('retry') && <RetryButton run={run} />}</Head>
      {failure && (
        <p className={classes['cause']} title={failure.message}>
          {failure.message}
        </p>
      )}
      <Details
        parts={[
          failure?.round_index != null && text.atRound(failure.round_index),
          failure?.client_id != null && text.byClient(String(failure.client_id)),
          run.finished_at !== null && <Age at={run.finished_at} />,
        ]}
      />
    </>
  );
}

function RetryButton({ run }: LineProps) {
  const queries = useQueryClient();
  const retry = useMutation({
    mutationFn: () => controlRun(run.id, 'retry'),
    onError: (error) => {
      notifications.show({ color: 'red', message: asApiError(error).message });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: runKeys.all }),
  });
  return (
    <Button
      size="compact-xs"
      variant="default"
      aria-label={text.retry(run.name)}
      loading={retry.isPending}
      leftSection={<IconRefresh size={13} aria-hidden />}
      onClick={() => {
        retry.mutate();
      }}
    >
      {strings.run.actions.retry}
    </Button>
  );
}

export function RecentRun({ run }: LineProps) {
  const setup = useSetup(run);
  return (
    <>
      <Head run={run}>
        <StateBadge state={run.state} />
      </Head>
      <Details
        parts={[
          accuracyOf(run),
          formatDuration(run.totals.seconds),
          setup,
          run.finished_at !== null && <Age at={run.finished_at} />,
        ]}
      />
    </>
  );
}
