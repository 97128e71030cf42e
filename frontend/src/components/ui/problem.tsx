import { Alert } from '@mantine/core';
import { asApiError } from '@/api/errors';

/** Why something was refused, above the form that asked for it. */
export function Problem({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null;
  const { message, fields } = asApiError(error);
  const details = Object.values(fields).flat();
  return (
    <Alert color="red" variant="light" role="alert">
      {details.length > 0 ? details.join(' ') : message}
    </Alert>
  );
}
