import type { ReactNode } from 'react';
import classes from './row-list.module.css';

/** Few things below each other, each with what can be done with it; fits any width. */
export function RowList({
  label,
  empty,
  children,
}: {
  label: string;
  empty: string;
  children: ReactNode[];
}) {
  if (children.length === 0) return <p className={classes['empty']}>{empty}</p>;
  return (
    <ul className={classes['list']} aria-label={label}>
      {children}
    </ul>
  );
}

export function Row({
  title,
  detail,
  children,
}: {
  title: ReactNode;
  detail?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <li className={classes['row']}>
      <div className={classes['texts']}>
        <div className={classes['title']}>{title}</div>
        {detail && <div className={classes['detail']}>{detail}</div>}
      </div>
      {children}
    </li>
  );
}
