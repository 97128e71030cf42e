import { IconChevronLeft } from '@tabler/icons-react';
import type { Run } from '@/api/types';
import { PageHeader } from '@/components/ui/page-header';
import { ProgressLine } from '@/components/ui/progress-line';
import { StateBadge } from '@/components/ui/state-badge';
import { formatAge, formatDateTime, formatDuration, formatInteger } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { TextLink } from '@/components/ui/links';
import { strings } from '@/strings';
import { RunActions } from './run-actions';
import classes from './run-header.module.css';

const text = strings.run;

/** What a run is, how far it has come, and what can be done with it. */
export function RunHeader({ run }: { run: Run }) {
  return (
    <>
      <TextLink to="/runs" className={classes['back']}>
        <IconChevronLeft size={14} aria-hidden />
        {strings.runList.title}
      </TextLink>
      <PageHeader
        title={run.name}
        aside={
          <>
            <span className={classes['number']}>{text.number(run.number)}</span>
            <StateBadge state={run.state} />
            <Requested run={run} />
          </>
        }
        lead={<Origin run={run} />}
        actions={<RunActions run={run} />}
      />
      <Progress run={run} />
    </>
  );
}

/** Something was asked for that takes effect at the next batch. */
function Requested({ run }: { run: Run }) {
  if (run.requested_action === 'none') return null;
  return (
    <span className={classes['requested']} role="status">
      {run.requested_action === 'pause' ? text.pausing : text.cancelling}
    </span>
  );
}

function Origin({ run }: { run: Run }) {
  const now = useNow();
  return (
    <time dateTime={run.created_at} title={formatDateTime(run.created_at)}>
      {text.created(formatAge(run.created_at, now), run.created_by)}
    </time>
  );
}

function Progress({ run }: { run: Run }) {
  const now = useNow();
  const start = run.started_at === null ? null : Date.parse(run.started_at);
  const end = run.finished_at === null ? now : Date.parse(run.finished_at);
  const elapsed = start === null ? null : formatDuration(Math.max(0, end - start) / 1000);
  const times = [
    ...(run.queue ? [run.queue.reason] : []),
    ...(elapsed === null ? [] : [run.is_final ? text.took(elapsed) : text.elapsed(elapsed)]),
    ...(run.eta_s === null ? [] : [text.eta(formatDuration(Math.ceil(run.eta_s)))]),
  ];
  const tone = run.state === 'failed' ? 'bad' : run.state === 'cancelled' ? 'muted' : 'brand';
  return (
    <div className={classes['progress']}>
      <div className={classes['figures']}>
        <span>
          <strong>{formatInteger(run.rounds_done)}</strong>
          {` / ${formatInteger(run.rounds_total)} ${text.rounds}`}
        </span>
        <span className={classes['times']}>{times.join(' · ')}</span>
      </div>
      <ProgressLine
        done={run.rounds_done}
        total={run.rounds_total}
        label={text.progressLabel}
        tone={tone}
      />
    </div>
  );
}
