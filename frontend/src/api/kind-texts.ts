import type { CatalogueEntry } from './types';

/** How people call one alternative of a section. */
export interface KindText {
  title: string;
  summary: string;
  synonyms: readonly string[];
}

/**
 * The catalogue's words for a kind at a path, or the kind itself where it has none. A section may
 * hold its kinds deeper down, as `compression` does in `compression.uplink.0`.
 */
export function kindText(
  catalogue: readonly CatalogueEntry[] | undefined,
  path: string,
  kind: string,
): KindText {
  const entry = catalogue?.find(
    (known) => known.kind === kind && `${path}.`.startsWith(`${known.section}.`),
  );
  return entry ?? { title: kind, summary: '', synonyms: [] };
}
