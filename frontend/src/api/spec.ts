import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { isObject, type JsonObject } from '@/lib/document-path';
import type { JsonSchema } from '@/lib/json-schema';
import { client, unwrap } from './client';
import type { SpecInput } from './types';

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

const ASK_AGAIN_MS = 700;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

/** The parts of a document that decide who holds what; a language model brings its tokenizer. */
function dataParts({ seed, dataset, partition, model }: JsonObject): JsonObject {
  const needsModel = isObject(model) && model['kind'] === 'huggingface';
  return {
    seed: seed ?? 0,
    dataset: dataset ?? null,
    partition: partition ?? null,
    ...(needsModel && { model }),
  };
}

/** How a valid document divides its data, once a worker has found it out. */
export function partitionQuery(spec: JsonObject) {
  return queryOptions({
    // The same data divided in the same way is the same answer, whatever else the document says.
    queryKey: ['spec', 'partition', dataParts(spec)],
    queryFn: async ({ signal }) => {
      for (;;) {
        const body = { spec: spec as SpecInput };
        const answer = await unwrap(client.POST('/api/v1/spec/partition/', { body, signal }));
        if (answer.state !== 'pending') return answer;
        await pause(ASK_AGAIN_MS, signal);
      }
    },
    placeholderData: keepPreviousData,
    staleTime: ({ state: { data } }) => (data?.state === 'ready' ? Infinity : 0),
    gcTime: 60_000,
  });
}
