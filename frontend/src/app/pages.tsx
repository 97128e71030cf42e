import { Button, Group } from '@mantine/core';
import { IconRoute } from '@tabler/icons-react';
import { Outlet, type ErrorComponentProps } from '@tanstack/react-router';
import { Empty, Failure } from '@/components/ui/feedback';
import { ButtonLink } from '@/components/ui/links';
import { strings } from '@/strings';
import classes from './pages.module.css';

export function RootLayout() {
  return <Outlet />;
}

export function NotFoundPage() {
  return (
    <main className={classes['page']}>
      <Empty
        isPage
        icon={<IconRoute size={36} aria-hidden color="var(--rh-text-dim)" />}
        title={strings.errors.notFoundTitle}
        text={strings.errors.notFound}
        action={<ButtonLink to="/runs">{strings.errors.backToRuns}</ButtonLink>}
      />
    </main>
  );
}

/** Shown in place of a screen that failed to load or to draw. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  return (
    <main className={classes['page']}>
      <Failure error={error} onRetry={reset} />
      <Group mt="md">
        <p className={classes['hint']}>{strings.errors.crash}</p>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            window.location.reload();
          }}
        >
          {strings.actions.reload}
        </Button>
      </Group>
    </main>
  );
}
