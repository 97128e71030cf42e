/** Files that hold a run or a sweep, as YAML or JSON; the command line reads and writes the same. */

import type { IntentSweep, SweepInput } from '@/api/types';
import { asDocument, isObject, type JsonObject } from '@/lib/document-path';
import { strings } from '@/strings';
import type { SpecState, YamlReading } from './spec-state';
import { readYaml, writeYaml, yamlTextOf } from './yaml-document';

interface ReadFile {
  source: string;
  reading: YamlReading;
  /** Where the file holds several runs. */
  sweep?: Omit<IntentSweep, 'base'> & { base: JsonObject };
}

/** What a file says. JSON is YAML as well. */
export function readDocument(source: string): ReadFile {
  const reading = readYaml(source);
  if ('fault' in reading || !('base' in reading.document)) return { source, reading };
  const { base, axes = {}, seeds = null, search = null } = reading.document;
  if (search !== null) throw new Error(strings.newRun.files.search);
  if (!isObject(base) || !isAxes(axes) || (seeds !== null && typeof seeds !== 'number')) {
    throw new Error(strings.newRun.files.noSweep);
  }
  return { source, reading, sweep: { base, axes, seeds, search: null } };
}

function isAxes(value: unknown): value is Record<string, unknown[]> {
  return isObject(value) && Object.values(value).every((values) => Array.isArray(values));
}

/** The file of what is being written. */
export function printDocument(
  state: SpecState,
  sweep: SweepInput | null,
  kind: 'yaml' | 'json',
): string {
  if (kind === 'json') return `${JSON.stringify(sweep ?? state.document, null, 2)}\n`;
  return sweep ? writeYaml(asDocument(sweep)) : yamlTextOf(state);
}
