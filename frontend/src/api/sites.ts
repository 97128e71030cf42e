import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { JsonObject } from '@/lib/document-path';
import { client, unwrap } from './client';
import { cursorOf } from './cursor';

const siteKeys = {
  all: ['sites'] as const,
  list: () => [...siteKeys.all, 'list'] as const,
  detail: (siteId: string) => [...siteKeys.all, 'detail', siteId] as const,
  history: (siteId: string) => [...siteKeys.all, 'history', siteId] as const,
  tasks: (siteId: string) => [...siteKeys.all, 'tasks', siteId] as const,
};

/** Everything that changes when something is done to a site. */
export const SITES = siteKeys.all;

export const siteListQuery = infiniteQueryOptions({
  queryKey: siteKeys.list(),
  initialPageParam: null as string | null,
  queryFn: ({ pageParam, signal }) =>
    unwrap(
      client.GET('/api/v1/sites/', {
        params: { query: { ...(pageParam !== null && { cursor: pageParam }) } },
        signal,
      }),
    ),
  getNextPageParam: (page) => cursorOf(page.next),
});

export function siteQuery(siteId: string) {
  return queryOptions({
    queryKey: siteKeys.detail(siteId),
    queryFn: ({ signal }) =>
      unwrap(
        client.GET('/api/v1/sites/{site_id}/', { params: { path: { site_id: siteId } }, signal }),
      ),
  });
}

/** What was done to a site, and by it; the newest page is enough to look at. */
export function siteHistoryQuery(siteId: string) {
  return queryOptions({
    queryKey: siteKeys.history(siteId),
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          client.GET('/api/v1/sites/{site_id}/history/', {
            params: { path: { site_id: siteId } },
            signal,
          }),
        )
      ).results,
  });
}

export function siteTasksQuery(siteId: string) {
  return queryOptions({
    queryKey: siteKeys.tasks(siteId),
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          client.GET('/api/v1/sites/{site_id}/tasks/', {
            params: { path: { site_id: siteId } },
            signal,
          }),
        )
      ).results,
  });
}

export const inviteSite = (project: string, name: string, days: number) =>
  unwrap(
    client.POST('/api/v1/projects/{project_id}/sites/', {
      params: { path: { project_id: project } },
      body: { name, expires_in_days: days },
    }),
  );

export const renewInvitation = (siteId: string, days: number) =>
  unwrap(
    client.POST('/api/v1/sites/{site_id}/invitation/', {
      params: { path: { site_id: siteId } },
      body: { expires_in_days: days },
    }),
  );

export const approveSite = (siteId: string) =>
  unwrap(
    client.POST('/api/v1/sites/{site_id}/approve/', { params: { path: { site_id: siteId } } }),
  );

export const revokeSite = (siteId: string, reason: string) =>
  unwrap(
    client.POST('/api/v1/sites/{site_id}/revoke/', {
      params: { path: { site_id: siteId } },
      body: { reason },
    }),
  );

/** Which sites would take part in a draft, and why others would not. */
export function eligibilityQuery(spec: JsonObject) {
  return queryOptions({
    queryKey: [...siteKeys.all, 'eligibility', spec],
    queryFn: ({ signal }) =>
      unwrap(client.POST('/api/v1/sites/eligibility/', { body: { spec }, signal })),
    placeholderData: keepPreviousData,
    gcTime: 60_000,
  });
}

/** What a run on sites is about, and who takes part in it. */
export interface SiteChoice {
  dataset: string;
  target: string | null;
  sites: readonly string[];
}

/** The sections that put a document onto sites, and the columns that could be predicted. */
export function draftOnSites(spec: JsonObject, { dataset, target, sites }: SiteChoice) {
  const body = { spec, dataset, sites: [...sites], ...(target !== null && { target }) };
  return unwrap(client.POST('/api/v1/sites/draft/', { body }));
}

/** What the declarations of these sites allow; the document makes no difference to it. */
export function offersQuery(choice: SiteChoice) {
  return queryOptions({
    queryKey: [...siteKeys.all, 'offers', choice],
    queryFn: () => draftOnSites({}, choice),
    placeholderData: keepPreviousData,
    enabled: choice.dataset !== '' && choice.sites.length > 0,
  });
}

/** The real sites of a run, each with what it was asked last. */
export function runSitesQuery(runId: string) {
  return queryOptions({
    queryKey: [...siteKeys.all, 'run', runId],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET('/api/v1/runs/{run_id}/sites/', { params: { path: { run_id: runId } }, signal }),
      ),
  });
}
