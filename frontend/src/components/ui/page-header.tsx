import type { ReactNode } from 'react';
import classes from './page-header.module.css';

interface PageHeaderProps {
  title: string;
  /** Beside the title: a badge, a count. */
  aside?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
}

export function PageHeader({ title, aside, lead, actions }: PageHeaderProps) {
  return (
    <header className={classes['header']}>
      <div className={classes['titles']}>
        <div className={classes['titleLine']}>
          <h1 className={classes['title']}>{title}</h1>
          {aside}
        </div>
        {lead && <div className={classes['lead']}>{lead}</div>}
      </div>
      {actions && <div className={classes['actions']}>{actions}</div>}
    </header>
  );
}
