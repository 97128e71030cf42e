import { useMutation, useQueryClient } from '@tanstack/react-query';
import { client, unwrapEmpty } from '@/api/client';

/** Ends the session, and forgets everything that was read in it. */
export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => unwrapEmpty(client.POST('/api/v1/auth/logout/')),
    onSuccess: () => {
      queries.clear();
      // A fresh page: nothing of the last user stays in memory.
      window.location.assign('/sign-in');
    },
  });
}
