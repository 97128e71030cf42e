import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { runFailuresQuery } from '@/api/runs';
import type { Run } from '@/api/types';
import { strings } from '@/strings';
import classes from './run-failure.module.css';

const text = strings.run.failure;

interface RunFailureProps {
  runId: string;
  failure: NonNullable<Run['failure']>;
}

/** Who failed, when, why, and what to do about it. */
export function RunFailure({ runId, failure }: RunFailureProps) {
  const { message, code, client_id: client, round_index: round, field, fix } = failure;
  const hasAdvice = Boolean(fix) || Boolean(field);
  const where = [
    ...(round == null ? [] : [text.atRound(round)]),
    ...(client == null ? [] : [text.client(String(client))]),
  ];
  return (
    <section className={classes['card']} role="alert">
      <IconAlertTriangle size={20} aria-hidden />
      <div className={classes['body']}>
        <h2 className={classes['title']}>
          {text.title}
          {where.length > 0 && <span className={classes['where']}>{where.join(', ')}</span>}
        </h2>
        <p>{message}</p>
        {hasAdvice && (
          <p className={classes['fix']}>
            <strong>{text.whatToDo}</strong>
            {fix} {field && text.setting(field)}
          </p>
        )}
        <FailureGroups runId={runId} />
        <p className={classes['code']}>{code}</p>
      </div>
    </section>
  );
}

/** The clients' troubles by reason; the first cause is shown without waiting for them. */
function FailureGroups({ runId }: { runId: string }) {
  const report = useQuery(runFailuresQuery(runId));
  const groups = report.data?.groups ?? [];
  if (groups.length === 0) return null;
  return (
    <section aria-label={text.clients}>
      <h3 className={classes['subtitle']}>{text.clients}</h3>
      <ul className={classes['groups']}>
        {groups.map((group) => (
          <li key={`${group.status} ${group.message}`}>
            <strong>{text.who(group.num_clients, named(group.clients, group.num_clients))}</strong>{' '}
            {text.when(named(group.rounds, group.rounds.length))}: {group.message}
            <span className={classes['advice']}>{group.fix}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const MOST_NAMED = 6;

function named(items: readonly (string | number)[], total: number): string {
  const shown = items.slice(0, MOST_NAMED).map(String);
  return [...shown, ...(total > shown.length ? [text.andMore] : [])].join(', ');
}
