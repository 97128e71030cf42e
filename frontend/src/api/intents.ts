import type { JsonObject } from '@/lib/document-path';
import { client, unwrap } from './client';
import type { IntentResult, SpecInput } from './types';

/** Ask for the draft that a sentence describes, or that it makes of the one given. */
export function draftFrom(prompt: string, draft: JsonObject | null): Promise<IntentResult> {
  return unwrap(
    client.POST('/api/v1/intents/', {
      body: { prompt, ...(draft && { draft: draft as SpecInput }) },
    }),
  );
}
