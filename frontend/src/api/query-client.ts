import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { asApiError } from './errors';
import { meQuery } from './session';

const MAX_RETRIES = 2;

/** The cache of all server data; `onSignedOut` is called when the session has ended. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const watch = (error: unknown): void => {
    if (asApiError(error).status === 401) onSignedOut();
  };
  // Asking who is signed in may well be answered by "nobody"; the routes deal with that.
  const isAboutSession = (key: readonly unknown[]): boolean => key[0] === meQuery.queryKey[0];
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        if (!isAboutSession(query.queryKey)) watch(error);
      },
    }),
    mutationCache: new MutationCache({ onError: watch }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => failures < MAX_RETRIES && asApiError(error).isTransient,
      },
      mutations: { retry: false },
    },
  });
}
