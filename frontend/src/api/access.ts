import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client, unwrap, unwrapEmpty } from './client';
import type { Role, Scope } from './types';

/** Lists about access are short: one page of this many rows. */
const ROWS = 200;

export const signInOptionsQuery = queryOptions({
  queryKey: ['sign-in-options'],
  queryFn: ({ signal }) => unwrap(client.GET('/api/v1/auth/options/', { signal })),
  staleTime: Infinity,
});

export const requestAccount = (body: { username: string; password: string }) =>
  unwrap(client.POST('/api/v1/auth/request/', { body }));

export const previewInvitation = (code: string) =>
  unwrap(client.POST('/api/v1/invitations/preview/', { body: { code } }));

export const acceptInvitation = (
  code: string,
  account: { username: string; password: string } | null,
) => unwrap(client.POST('/api/v1/invitations/accept/', { body: { code, account } }));

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async ({ signal }) =>
    (await unwrap(client.GET('/api/v1/auth/sessions/', { signal }))).sessions,
});

export const endSession = (id: number) =>
  unwrapEmpty(
    client.DELETE('/api/v1/auth/sessions/{session_id}/', { params: { path: { session_id: id } } }),
  );
export const endOtherSessions = () => unwrapEmpty(client.DELETE('/api/v1/auth/sessions/'));

export interface NewToken {
  name: string;
  scope: Scope;
  expires_in_days: number;
}

/** A person's tokens, or those of a project. */
export function tokensQuery(project?: string) {
  return queryOptions({
    queryKey: ['tokens', project ?? 'mine'],
    queryFn: async ({ signal }) => {
      const query = { page_size: ROWS };
      const page =
        project === undefined
          ? client.GET('/api/v1/tokens/', { params: { query }, signal })
          : client.GET('/api/v1/projects/{project_id}/tokens/', {
              params: { path: { project_id: project }, query },
              signal,
            });
      return (await unwrap(page)).results;
    },
  });
}

export function createToken(body: NewToken, project?: string) {
  if (project === undefined) return unwrap(client.POST('/api/v1/tokens/', { body }));
  const params = { path: { project_id: project } };
  return unwrap(client.POST('/api/v1/projects/{project_id}/tokens/', { params, body }));
}

export function revokeToken(id: string, project?: string) {
  if (project === undefined) {
    const params = { path: { token_id: id } };
    return unwrapEmpty(client.DELETE('/api/v1/tokens/{token_id}/', { params }));
  }
  const params = { path: { project_id: project, token_id: id } };
  return unwrapEmpty(client.DELETE('/api/v1/projects/{project_id}/tokens/{token_id}/', { params }));
}

export function projectQuery(project: string) {
  return queryOptions({
    queryKey: ['projects', project],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET('/api/v1/projects/{project_id}/', {
          params: { path: { project_id: project } },
          signal,
        }),
      ),
  });
}

export const createProject = (name: string) =>
  unwrap(client.POST('/api/v1/projects/', { body: { name } }));

export const renameProject = (project: string, name: string) =>
  unwrap(
    client.PATCH('/api/v1/projects/{project_id}/', {
      params: { path: { project_id: project } },
      body: { name },
    }),
  );

export function membersQuery(project: string) {
  return queryOptions({
    queryKey: ['projects', project, 'members'],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          client.GET('/api/v1/projects/{project_id}/members/', {
            params: { path: { project_id: project }, query: { page_size: ROWS } },
            signal,
          }),
        )
      ).results,
  });
}

export const changeRole = (project: string, member: string, role: Role) =>
  unwrap(
    client.PATCH('/api/v1/projects/{project_id}/members/{member_id}/', {
      params: { path: { project_id: project, member_id: member } },
      body: { role },
    }),
  );

export const removeMember = (project: string, member: string) =>
  unwrapEmpty(
    client.DELETE('/api/v1/projects/{project_id}/members/{member_id}/', {
      params: { path: { project_id: project, member_id: member } },
    }),
  );

export function invitationsQuery(project: string) {
  return queryOptions({
    queryKey: ['projects', project, 'invitations'],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          client.GET('/api/v1/projects/{project_id}/invitations/', {
            params: { path: { project_id: project }, query: { page_size: ROWS } },
            signal,
          }),
        )
      ).results,
  });
}

export const invite = (project: string, role: Role, note: string, email: string) =>
  unwrap(
    client.POST('/api/v1/projects/{project_id}/invitations/', {
      params: { path: { project_id: project } },
      body: { role, note, email, expires_in_days: 7 },
    }),
  );

export const withdrawInvitation = (project: string, invitation: string) =>
  unwrapEmpty(
    client.DELETE('/api/v1/projects/{project_id}/invitations/{invitation_id}/', {
      params: { path: { project_id: project, invitation_id: invitation } },
    }),
  );

export function quotaQuery(project: string) {
  return queryOptions({
    queryKey: ['projects', project, 'quota'],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET('/api/v1/projects/{project_id}/quota/', {
          params: { path: { project_id: project } },
          signal,
        }),
      ),
  });
}

export const setQuota = (
  project: string,
  body: { max_running: number | null; max_queued: number | null },
) =>
  unwrap(
    client.PUT('/api/v1/projects/{project_id}/quota/', {
      params: { path: { project_id: project } },
      body,
    }),
  );

export const peopleQuery = queryOptions({
  queryKey: ['users'],
  queryFn: async ({ signal }) =>
    (await unwrap(client.GET('/api/v1/users/', { params: { query: { page_size: ROWS } }, signal })))
      .results,
});

export const setActive = (user: string, active: boolean) =>
  unwrap(
    client.PATCH('/api/v1/users/{user_id}/', {
      params: { path: { user_id: user } },
      body: { is_active: active },
    }),
  );

export interface AuditQuery {
  actor?: string;
  action?: string;
  object?: string;
  project?: string;
}

export function auditQuery(query: AuditQuery) {
  return infiniteQueryOptions({
    queryKey: ['audit', query],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        client.GET('/api/v1/audit/', {
          params: { query: { ...query, ...(pageParam !== undefined && { cursor: pageParam }) } },
          signal,
        }),
      ),
    getNextPageParam: (page) =>
      page.next === null ? undefined : (new URL(page.next).searchParams.get('cursor') ?? undefined),
  });
}

/** Where the same entries are as a file. */
export function auditFile(query: AuditQuery, kind: 'csv' | 'jsonl'): string {
  const search = new URLSearchParams({ ...query, as: kind });
  return `/api/v1/audit/export/?${search.toString()}`;
}
