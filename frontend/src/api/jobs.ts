import { queryOptions } from '@tanstack/react-query';
import type { JsonObject } from '@/lib/document-path';
import { client, unwrap, unwrapEmpty } from './client';
import type { SpecInput, SweepInput } from './types';

export interface NewJob {
  name: string;
  /** One run, or with a sweep the settings that are shared by its runs. */
  spec: JsonObject;
  sweep?: SweepInput | undefined;
  /** The same key twice launches once, so that a repeated click or request does no harm. */
  idempotencyKey: string;
}

export function launchJob({ name, spec, sweep, idempotencyKey }: NewJob) {
  return unwrap(
    client.POST('/api/v1/jobs/', {
      params: { header: { 'Idempotency-Key': idempotencyKey } },
      body: {
        name,
        ...(sweep ? { sweep } : { spec: spec as SpecInput }),
        launch: true,
        is_template: false,
        priority: 'normal',
      },
    }),
  );
}

/** Keep settings to start from, without launching anything. */
export function saveTemplate(name: string, spec: JsonObject) {
  return unwrap(
    client.POST('/api/v1/jobs/', {
      body: { name, spec: spec as SpecInput, launch: false, is_template: true, priority: 'normal' },
    }),
  );
}

export const templatesQuery = queryOptions({
  queryKey: ['jobs', 'templates'],
  queryFn: ({ signal }) =>
    unwrap(client.GET('/api/v1/jobs/', { params: { query: { is_template: true } }, signal })),
});

export function deleteTemplate(id: string) {
  return unwrapEmpty(client.DELETE('/api/v1/jobs/{job_id}/', { params: { path: { job_id: id } } }));
}

export function jobQuery(id: string) {
  return queryOptions({
    queryKey: ['jobs', 'detail', id],
    queryFn: ({ signal }) =>
      unwrap(client.GET('/api/v1/jobs/{job_id}/', { params: { path: { job_id: id } }, signal })),
  });
}

/** Random, also where the page is not served over HTTPS and `crypto.randomUUID` is missing. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
