import type { ReactNode } from 'react';
import { ScrollRegion } from './scroll-region';
import classes from './plain-table.module.css';

/** Rows to be read, not sorted: as wide as what holds it, and scrolling where it is too long. */
export function PlainTable({
  label,
  head,
  maxHeight,
  children,
}: {
  label: string;
  head: readonly string[];
  maxHeight: number;
  children: ReactNode;
}) {
  return (
    <ScrollRegion label={label} maxHeight={maxHeight}>
      <table className={classes['table']}>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </ScrollRegion>
  );
}

/** A cell of figures, which stand below each other digit by digit. */
export function NumberCell({ children }: { children: ReactNode }) {
  return <td className={classes['number']}>{children}</td>;
}
