import { queryOptions } from '@tanstack/react-query';
import { client, unwrap } from './client';

/** Who is signed in; fails with 401 when nobody is. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => unwrap(client.GET('/api/v1/auth/me/', { signal })),
  staleTime: Infinity,
});
