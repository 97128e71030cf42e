import { IconAlertTriangle } from '@tabler/icons-react';
import type { Run } from '@/api/types';
import { strings } from '@/strings';
import classes from './run-failure.module.css';

const text = strings.run.failure;

/** Who failed, when, why, and what to do about it. */
export function RunFailure({ failure }: { failure: NonNullable<Run['failure']> }) {
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
        <p className={classes['code']}>{code}</p>
      </div>
    </section>
  );
}
