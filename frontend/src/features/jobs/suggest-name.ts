import { kindText } from '@/api/kind-texts';
import type { CatalogueEntry } from '@/api/types';
import { valueAt, type JsonObject } from '@/lib/document-path';
import { strings } from '@/strings';

/** A name that says what the run studies. */
export function suggestName(spec: JsonObject, catalogue: readonly CatalogueEntry[]): string {
  const title = (section: string): string => {
    const kind = valueAt(spec, `${section}.kind`);
    return typeof kind === 'string' ? kindText(catalogue, section, kind).title : section;
  };
  const alpha = valueAt(spec, 'partition.alpha');
  const spread = title('partition') + (typeof alpha === 'number' ? ` ${alpha}` : '');
  return strings.newRun.suggestedName(title('algorithm'), title('dataset'), spread);
}
