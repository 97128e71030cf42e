import type { RunState } from '@/api/types';
import { strings } from '@/strings';
import classes from './state-badge.module.css';

interface StateBadgeProps {
  state: RunState;
  /** Another word for it, where not a run is in this state but something like it. */
  label?: string;
}

/** A run's state as a word and a colour; the dot of a run that is being worked on breathes. */
export function StateBadge({ state, label }: StateBadgeProps) {
  return (
    <span className={classes['badge']} data-state={state}>
      <span className={classes['dot']} aria-hidden />
      {label ?? strings.states[state]}
    </span>
  );
}
