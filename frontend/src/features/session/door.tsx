import type { ReactNode } from 'react';
import { Logo } from '@/components/ui/logo';
import { strings } from '@/strings';
import classes from './sign-in-page.module.css';

/** The frame around everything that one sees before one is in. */
export function Door({ children }: { children: ReactNode }) {
  return (
    <main className={classes['page']}>
      <Logo size={1100} className={classes['backdrop']} />
      <div className={classes['card']}>
        <div className={classes['brand']}>
          <Logo size={44} />
          <h1>{strings.app.name}</h1>
          <p>{strings.app.tagline}</p>
        </div>
        {children}
      </div>
    </main>
  );
}
