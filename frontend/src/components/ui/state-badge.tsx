import type { RunState } from '@/api/types';
import { strings } from '@/strings';
import classes from './state-badge.module.css';

/** A run's state as a word and a colour; the dot of a run that is being worked on breathes. */
export function StateBadge({ state }: { state: RunState }) {
  return (
    <span className={classes['badge']} data-state={state}>
      <span className={classes['dot']} aria-hidden />
      {strings.states[state]}
    </span>
  );
}
