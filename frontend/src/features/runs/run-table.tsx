import { Link } from '@tanstack/react-router';
import type { RunListItem } from '@/api/types';
import { ProgressLine } from '@/components/ui/progress-line';
import { StateBadge } from '@/components/ui/state-badge';
import {
  formatAge,
  formatDateTime,
  formatDuration,
  formatInteger,
  formatMetric,
} from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { strings } from '@/strings';
import classes from './run-table.module.css';

const { columns, progress } = strings.runList;

/** One line per run; on a phone, one block per run. */
export function RunTable({ runs }: { runs: readonly RunListItem[] }) {
  const now = useNow();
  return (
    <table className={classes['table']}>
      <thead>
        <tr>
          <th scope="col">{columns.name}</th>
          <th scope="col">{columns.state}</th>
          <th scope="col">{columns.progress}</th>
          <th scope="col" className={classes['number']}>
            {columns.accuracy}
          </th>
          <th scope="col" className={classes['number']}>
            {columns.duration}
          </th>
          <th scope="col" className={classes['number']}>
            {columns.age}
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <RunRow key={run.id} run={run} now={now} />
        ))}
      </tbody>
    </table>
  );
}

function RunRow({ run, now }: { run: RunListItem; now: number }) {
  return (
    <tr>
      <td className={classes['nameCell']}>
        {/* Stretched over the row by the style sheet, so that the whole row can be clicked. */}
        <Link to="/runs/$runId" params={{ runId: run.id }} className={classes['name']}>
          {run.name}
        </Link>
        <span className={classes['run']}>{strings.run.number(run.number)}</span>
      </td>
      <td className={classes['state']}>
        <StateBadge state={run.state} />
      </td>
      <td className={classes['progress']}>
        <span className={classes['rounds']}>
          {formatInteger(run.rounds_done)}
          <span className={classes['total']}>{` / ${formatInteger(run.rounds_total)}`}</span>
        </span>
        <ProgressLine
          done={run.rounds_done}
          total={run.rounds_total}
          label={progress(run.rounds_done, run.rounds_total)}
          tone={run.state === 'failed' ? 'bad' : run.state === 'cancelled' ? 'muted' : 'brand'}
        />
      </td>
      <td className={classes['number']} data-label={columns.accuracy}>
        {formatMetric('accuracy', run.latest_metrics['accuracy'])}
      </td>
      <td className={classes['number']} data-label={columns.duration}>
        {formatDuration(run.totals.seconds)}
      </td>
      <td className={classes['number']} data-label={columns.age}>
        <time dateTime={run.created_at} title={formatDateTime(run.created_at)}>
          {formatAge(run.created_at, now)}
        </time>
      </td>
    </tr>
  );
}
