import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { JsonObject } from '@/lib/document-path';
import type { JsonSchema } from '@/lib/json-schema';
import { client, unwrap } from './client';

/** The schema and the catalogue change only with the server's version. */
const FIXED = { staleTime: Infinity, gcTime: Infinity } as const;

export const specSchemaQuery = queryOptions({
  queryKey: ['spec', 'schema'],
  queryFn: async ({ signal }): Promise<JsonSchema> =>
    unwrap(client.GET('/api/v1/spec/schema/', { signal })),
  ...FIXED,
});

export const catalogueQuery = queryOptions({
  queryKey: ['spec', 'catalogue'],
  queryFn: ({ signal }) => unwrap(client.GET('/api/v1/catalogue/', { signal })),
  ...FIXED,
});

/** What the server thinks of a document: problems by path, the completed spec, an estimate. */
export function validationQuery(spec: JsonObject) {
  return queryOptions({
    queryKey: ['spec', 'validate', spec],
    queryFn: ({ signal }) =>
      unwrap(client.POST('/api/v1/spec/validate/', { body: { spec }, signal })),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
  });
}
