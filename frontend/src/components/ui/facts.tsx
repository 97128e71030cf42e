import type { ReactNode } from 'react';
import classes from './facts.module.css';

interface Fact {
  name: string;
  value: ReactNode;
  /** Set apart, with this explanation on hover. */
  emphasis?: string | undefined;
}

/** Names and their values, one pair per line. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={classes['facts']}>
      {facts.map(({ name, value, emphasis }) => (
        <div key={name} className={classes['fact']}>
          <dt className={classes['name']}>{name}</dt>
          <dd className={classes['value']} data-emphasis={emphasis !== undefined} title={emphasis}>
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}
