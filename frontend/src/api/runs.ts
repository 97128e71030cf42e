import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client, unwrap } from './client';
import type { Event, RoundRow, RunState } from './types';

/** How many of the newest events a page starts with. */
const EVENT_TAIL = 200;
/** Points beyond this many cannot be told apart on a screen. */
const MAX_POINTS = 5_000;

export interface RunFilter {
  state?: RunState | undefined;
  search?: string | undefined;
}

export const runKeys = {
  all: ['runs'] as const,
  lists: () => [...runKeys.all, 'list'] as const,
  list: (filter: RunFilter) => [...runKeys.lists(), filter] as const,
  detail: (id: string) => [...runKeys.all, 'detail', id] as const,
  history: (id: string) => [...runKeys.all, 'history', id] as const,
  artifacts: (id: string) => [...runKeys.all, 'artifacts', id] as const,
};

function cursorOf(next: string | null | undefined): string | null {
  return next ? new URL(next, window.location.origin).searchParams.get('cursor') : null;
}

export function runListQuery(filter: RunFilter) {
  return infiniteQueryOptions({
    queryKey: runKeys.list(filter),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => {
      const query = {
        ...(filter.state && { state: [filter.state] }),
        ...(filter.search && { search: filter.search }),
        ...(pageParam !== null && { cursor: pageParam }),
      };
      return unwrap(client.GET('/api/v1/runs/', { params: { query }, signal }));
    },
    getNextPageParam: (page) => cursorOf(page.next),
  });
}

const one = (id: string) => ({ params: { path: { run_id: id } } });

export function runQuery(id: string) {
  return queryOptions({
    queryKey: runKeys.detail(id),
    queryFn: ({ signal }) => unwrap(client.GET('/api/v1/runs/{run_id}/', { ...one(id), signal })),
  });
}

/** What the clients of a run had trouble with, grouped by reason. */
export function runFailuresQuery(id: string) {
  return queryOptions({
    queryKey: [...runKeys.detail(id), 'failures'],
    queryFn: ({ signal }) =>
      unwrap(client.GET('/api/v1/runs/{run_id}/failures/', { ...one(id), signal })),
  });
}

/** What has happened so far; the live connection continues it after `cursor`. */
export interface RunHistory {
  rounds: readonly RoundRow[];
  /** Rounds that exist; more than `rounds` has when the server left some out. */
  numRounds: number;
  /** The newest events, oldest first. */
  events: readonly Event[];
  /** Everything up to this event is contained in `rounds` and `events`. */
  cursor: number;
}

export async function fetchEvents(id: string, after: number, limit: number, signal?: AbortSignal) {
  return unwrap(
    client.GET('/api/v1/runs/{run_id}/events/', {
      params: { path: { run_id: id }, query: { after, limit } },
      ...(signal && { signal }),
    }),
  );
}

export function runHistoryQuery(id: string) {
  return queryOptions({
    queryKey: runKeys.history(id),
    queryFn: async ({ signal }): Promise<RunHistory> => {
      // The run first: what is read after it surely contains everything up to its last event.
      const run = await unwrap(client.GET('/api/v1/runs/{run_id}/', { ...one(id), signal }));
      const after = Math.max(0, run.last_seq - EVENT_TAIL);
      const [metrics, page] = await Promise.all([
        unwrap(
          client.GET('/api/v1/runs/{run_id}/metrics/', {
            params: { path: { run_id: id }, query: { max_points: MAX_POINTS } },
            signal,
          }),
        ),
        fetchEvents(id, after, EVENT_TAIL, signal),
      ]);
      return {
        rounds: metrics.rounds,
        numRounds: metrics.total,
        events: page.events,
        cursor: run.last_seq,
      };
    },
    // The live connection keeps it current; see use-run-live.ts.
    staleTime: Infinity,
  });
}

export function artifactsQuery(id: string) {
  return queryOptions({
    queryKey: runKeys.artifacts(id),
    queryFn: ({ signal }) =>
      unwrap(client.GET('/api/v1/runs/{run_id}/artifacts/', { ...one(id), signal })),
  });
}

export type RunVerb = 'pause' | 'resume' | 'cancel' | 'retry';

export function controlRun(id: string, verb: RunVerb) {
  return unwrap(client.POST(`/api/v1/runs/{run_id}/${verb}/`, one(id)));
}

export function modelUrl(id: string): string {
  return `/api/v1/runs/${id}/model/`;
}
