import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { client, unwrap, unwrapEmpty } from './client';
import { cursorOf } from './cursor';
import type { components } from './schema';
import type { ClientMetric, Event, LogLevel, RoundRow, RunOrdering, RunState } from './types';

/** How many of the newest events a page starts with. */
const EVENT_TAIL = 200;
/** Points beyond this many cannot be told apart on a screen. */
const MAX_POINTS = 10_000;

export interface RunFilter {
  search?: string | undefined;
  states?: readonly RunState[];
  methods?: readonly string[];
  datasets?: readonly string[];
  tags?: readonly string[];
  starred?: boolean;
  trash?: boolean;
  ordering?: RunOrdering | undefined;
  pageSize?: number;
}

export const runKeys = {
  all: ['runs'] as const,
  lists: () => [...runKeys.all, 'list'] as const,
  list: (filter: RunFilter) => [...runKeys.lists(), filter] as const,
  detail: (id: string) => [...runKeys.all, 'detail', id] as const,
  history: (id: string) => [...runKeys.all, 'history', id] as const,
  artifacts: (id: string) => [...runKeys.all, 'artifacts', id] as const,
  facets: () => [...runKeys.all, 'facets'] as const,
  sparklines: (ids: readonly string[], metric: string, numFinal: number) =>
    [...runKeys.all, 'sparklines', metric, ids, numFinal] as const,
  comparison: (ids: readonly string[]) => [...runKeys.all, 'comparison', ids] as const,
  clients: (id: string) => [...runKeys.all, 'clients', id] as const,
  clientRounds: (id: string, metric: string) => [...runKeys.all, 'client-rounds', id, metric],
  log: (id: string, filter: LogFilter) => [...runKeys.all, 'log', id, filter] as const,
};

/** A parameter that may be given several times; the generated types know it once. */
function repeated(name: string, values: readonly string[] | undefined): Record<string, string> {
  return values?.length ? { [name]: [...values] as unknown as string } : {};
}

function listParameters(filter: RunFilter) {
  return {
    ...(filter.search && { search: filter.search }),
    ...(filter.states?.length && { state: [...filter.states] }),
    ...(filter.starred && { favourite: true }),
    ...(filter.trash && { trash: true }),
    ...(filter.ordering && { ordering: filter.ordering }),
    ...(filter.pageSize && { page_size: filter.pageSize }),
    ...repeated('method', filter.methods),
    ...repeated('dataset', filter.datasets),
    ...repeated('tag', filter.tags),
  };
}

/** The first page of a list, for a short one. */
export function firstRunsQuery(filter: RunFilter) {
  return queryOptions({
    queryKey: [...runKeys.list(filter), 'first'] as const,
    queryFn: ({ signal }) =>
      unwrap(client.GET('/api/v1/runs/', { params: { query: listParameters(filter) }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function runListQuery(filter: RunFilter) {
  return infiniteQueryOptions({
    queryKey: runKeys.list(filter),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => {
      const query = {
        ...listParameters(filter),
        ...(pageParam !== null && { cursor: pageParam }),
      };
      return unwrap(client.GET('/api/v1/runs/', { params: { query }, signal }));
    },
    getNextPageParam: (page) => cursorOf(page.next),
    // While another view is on its way, the last one stays: no jump, no flicker.
    placeholderData: keepPreviousData,
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
  /** The names of everything that was measured in them. */
  metrics: readonly string[];
  /** Rounds that exist; more than `rounds` has when the server left some out. */
  numRounds: number;
  /** The newest events, oldest first. */
  events: readonly Event[];
  /** Everything up to this event is contained in `rounds` and `events`. */
  cursor: number;
}

/** The names of metrics, with those that these rounds add; the same list if there are none. */
export function metricNames(known: readonly string[], rounds: readonly RoundRow[]) {
  const names = new Set(known);
  for (const { metrics } of rounds) for (const name in metrics) names.add(name);
  return names.size === known.length ? known : [...names];
}

async function fetchEvents(id: string, after: number, limit: number, signal?: AbortSignal) {
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
    queryFn: async ({ client: queries, signal }): Promise<RunHistory> => {
      // The run first: what is read after it surely contains everything up to its last event.
      const run = await queries.query({ ...runQuery(id), staleTime: 0, retry: false });
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
        metrics: metricNames([], metrics.rounds),
        numRounds: metrics.total,
        events: page.events,
        cursor: run.last_seq,
      };
    },
    // The live connection keeps it current; see use-run-live.ts.
    staleTime: Infinity,
    // Rows never change, and there are too many to compare with every event.
    structuralSharing: false,
  });
}

export function artifactsQuery(id: string) {
  return queryOptions({
    queryKey: runKeys.artifacts(id),
    queryFn: ({ signal }) =>
      unwrap(client.GET('/api/v1/runs/{run_id}/artifacts/', { ...one(id), signal })),
  });
}

export type RunVerb = 'pause' | 'resume' | 'cancel' | 'retry' | 'retry-failed';

export function controlRun(id: string, verb: RunVerb) {
  return unwrap(client.POST(`/api/v1/runs/{run_id}/${verb}/`, one(id)));
}

export function modelUrl(id: string): string {
  return `/api/v1/runs/${id}/model/`;
}

/** What the runs can be filtered by. */
export const runFacetsQuery = queryOptions({
  queryKey: runKeys.facets(),
  queryFn: ({ signal }) => unwrap(client.GET('/api/v1/runs/facets/', { signal })),
  staleTime: 10_000,
});

/** Small curves; asked for again when one more of the runs is over, for its last point. */
export function sparklinesQuery(ids: readonly string[], metric: string, numFinal: number) {
  return queryOptions({
    queryKey: runKeys.sparklines(ids, metric, numFinal),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET('/api/v1/runs/sparklines/', {
          params: { query: { runs: ids.join(','), metric } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function comparisonQuery(ids: readonly string[]) {
  return queryOptions({
    queryKey: runKeys.comparison(ids),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET('/api/v1/compare/', {
          params: { query: { runs: ids.join(','), max_points: 1_000 } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    enabled: ids.length > 0,
  });
}

export function clientsQuery(id: string) {
  return queryOptions({
    queryKey: runKeys.clients(id),
    queryFn: ({ signal }) =>
      unwrap(client.GET('/api/v1/runs/{run_id}/clients/', { ...one(id), signal })),
  });
}

export function clientRoundsQuery(id: string, metric: ClientMetric) {
  return queryOptions({
    queryKey: runKeys.clientRounds(id, metric),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET('/api/v1/runs/{run_id}/client-rounds/', {
          params: { path: { run_id: id }, query: { metric } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export interface LogFilter {
  level: LogLevel;
  client: string;
  text: string;
}

function logParameters({ level, client: clientId, text }: LogFilter) {
  return { level, ...(clientId && { client: clientId }), ...(text && { text }) };
}

/** The newest lines of a log; all of it can be downloaded. */
export function logQuery(id: string, filter: LogFilter) {
  return queryOptions({
    queryKey: runKeys.log(id, filter),
    queryFn: async ({ signal }) => {
      const answer = await unwrap(
        client.GET('/api/v1/runs/{run_id}/logs/', {
          params: { path: { run_id: id }, query: { ...logParameters(filter), limit: 1_000 } },
          signal,
        }),
      );
      // Text is what a download is; a page of lines never comes as text.
      if (typeof answer === 'string') throw new TypeError('a log came as text');
      return answer;
    },
    placeholderData: keepPreviousData,
  });
}

export function logUrl(id: string, filter: LogFilter): string {
  const query = new URLSearchParams({ ...logParameters(filter), download: 'true' });
  return `/api/v1/runs/${id}/logs/?${query.toString()}`;
}

export interface RunDescription {
  name?: string;
  notes?: string;
  tags?: string[];
  is_favourite?: boolean;
}

export function describeRun(id: string, body: RunDescription) {
  return unwrap(client.PATCH('/api/v1/runs/{run_id}/', { ...one(id), body }));
}

export type BulkAction = components['schemas']['BulkRequest']['action'];

export function changeRuns(runs: readonly string[], action: BulkAction, tag?: string) {
  const body = { runs: [...runs], action, ...(tag !== undefined && { tag }) };
  return unwrap(client.POST('/api/v1/runs/bulk/', { body }));
}

const viewsKey = ['views'] as const;

export const savedViewsQuery = queryOptions({
  queryKey: viewsKey,
  queryFn: ({ signal }) => unwrap(client.GET('/api/v1/views/', { signal })),
});

export function saveView(name: string, query: string) {
  return unwrap(client.POST('/api/v1/views/', { body: { name, query } }));
}

export function deleteView(id: string) {
  return unwrapEmpty(
    client.DELETE('/api/v1/views/{view_id}/', { params: { path: { view_id: id } } }),
  );
}
