import type { SweepInput } from '@/api/types';
import type { JsonObject } from '@/lib/document-path';
import { strings } from '@/strings';
import documents from './examples.json';

export interface Example {
  id: keyof typeof strings.home.examples;
  spec?: JsonObject;
  sweep?: SweepInput;
}

/** Set-ups that finish in seconds; a test of the server checks that all of them can be run. */
export const EXAMPLES = documents as unknown as readonly Example[];
