import type { CatalogueEntry } from './types';

/** How people call one alternative of a section. */
export interface KindText {
  title: string;
  summary: string;
  synonyms: readonly string[];
}

/** The catalogue's words for a kind, or the kind itself where it has none. */
export function kindText(
  catalogue: readonly CatalogueEntry[] | undefined,
  section: string,
  kind: string,
): KindText {
  const entry = catalogue?.find((known) => known.section === section && known.kind === kind);
  return entry ?? { title: kind, summary: '', synonyms: [] };
}
