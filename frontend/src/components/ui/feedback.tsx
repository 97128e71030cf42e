import { Alert, Button, Skeleton, Stack } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { asApiError } from '@/api/errors';
import { strings } from '@/strings';
import classes from './feedback.module.css';

/** Grey bars in place of content that is on its way; screen readers hear the label. */
export function Loading({ label, rows = 4 }: { label: string; rows?: number }) {
  return (
    <Stack gap="sm" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={row === 0 ? 28 : 44} width={row === 0 ? '40%' : '100%'} />
      ))}
    </Stack>
  );
}

/** An error in the user's words, with a way to try again where that can help. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { message, status } = asApiError(error);
  const title = status === 404 ? strings.errors.notFoundTitle : strings.errors.title;
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle size={18} aria-hidden />}
      title={title}
      role="alert"
    >
      <Stack gap="sm" align="flex-start">
        {message}
        {onRetry && status !== 404 && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconRefresh size={14} aria-hidden />}
            onClick={onRetry}
          >
            {strings.actions.retry}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

interface EmptyProps {
  title: string;
  text: string;
  icon?: ReactNode;
  action?: ReactNode;
  /** Whether this is all that the screen says. */
  isPage?: boolean;
}

/** A place where there is nothing yet, and how to change that. */
export function Empty({ title, text, icon, action, isPage = false }: EmptyProps) {
  const Heading = isPage ? 'h1' : 'h2';
  return (
    <div className={classes['empty']}>
      {icon}
      <Heading className={classes['title']}>{title}</Heading>
      <p className={classes['text']}>{text}</p>
      {action}
    </div>
  );
}
