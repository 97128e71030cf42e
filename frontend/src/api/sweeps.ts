import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client, unwrap } from './client';
import { cursorOf } from './cursor';

export const sweepKeys = {
  all: ['sweeps'] as const,
  list: () => [...sweepKeys.all, 'list'] as const,
  detail: (jobId: string) => [...sweepKeys.all, 'detail', jobId] as const,
};

export const sweepListQuery = infiniteQueryOptions({
  queryKey: sweepKeys.list(),
  initialPageParam: null as string | null,
  queryFn: ({ pageParam, signal }) =>
    unwrap(
      client.GET('/api/v1/sweeps/', {
        params: { query: { ...(pageParam !== null && { cursor: pageParam }) } },
        signal,
      }),
    ),
  getNextPageParam: (page) => cursorOf(page.next),
});

export function sweepQuery(jobId: string) {
  return queryOptions({
    queryKey: sweepKeys.detail(jobId),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET('/api/v1/jobs/{job_id}/sweep/', {
          params: { path: { job_id: jobId } },
          signal,
        }),
      ),
  });
}

export function controlSweep(jobId: string, verb: 'cancel' | 'resume') {
  return unwrap(
    client.POST(`/api/v1/jobs/{job_id}/sweep/${verb}/`, { params: { path: { job_id: jobId } } }),
  );
}
