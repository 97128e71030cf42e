import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { authenticatorsQuery } from '@/api/allauth';
import { asApiError } from '@/api/errors';
import { ProveDialog } from './prove-dialog';

/**
 * A change of the account itself: where the server asks for the password again, the dialog asks,
 * and the same change is tried once more.
 */
export function useProved<In, Out>(
  change: (input: In) => Promise<Out>,
  onDone: (out: Out) => void,
) {
  const [waiting, setWaiting] = useState<{ input: In }>();
  const queries = useQueryClient();
  const mutation = useMutation({
    mutationFn: change,
    onSuccess: async (out) => {
      await queries.invalidateQueries({ queryKey: authenticatorsQuery.queryKey });
      onDone(out);
    },
    onError: (error, input) => {
      if (asApiError(error).code === 'reauthenticate') setWaiting({ input });
    },
  });
  const dialog: ReactNode = waiting && (
    <ProveDialog
      onClose={() => {
        setWaiting(undefined);
      }}
      onProved={() => {
        setWaiting(undefined);
        mutation.mutate(waiting.input);
      }}
    />
  );
  const isAsking = mutation.error && asApiError(mutation.error).code === 'reauthenticate';
  return { ...mutation, error: isAsking ? null : mutation.error, dialog };
}
