import type { CatalogueEntry } from '@/api/types';
import type { CatalogueView } from '@/lib/url-state';

function wordsOf(entry: CatalogueEntry): string {
  const { title, kind, summary, description, paper, synonyms } = entry;
  return [title, kind, summary, description, paper ?? '', ...synonyms].join('\n').toLowerCase();
}

/** How well an entry fits: its name before its other names, those before its explanation. */
function rankOf({ title, kind, synonyms }: CatalogueEntry, wanted: string): number {
  if (`${title}\n${kind}`.toLowerCase().includes(wanted)) return 0;
  return synonyms.some((name) => name.toLowerCase().includes(wanted)) ? 1 : 2;
}

/** The entries that have every word of the search, those that are called so first. */
export function findEntries(
  entries: readonly CatalogueEntry[],
  { search = '', section }: CatalogueView,
): CatalogueEntry[] {
  const wanted = search.trim().toLowerCase();
  const words = wanted.split(/\s+/);
  return entries
    .filter((entry) => section === undefined || entry.section === section)
    .filter((entry) => words.every((word) => wordsOf(entry).includes(word)))
    .map((entry) => ({ entry, rank: wanted === '' ? 0 : rankOf(entry, wanted) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ entry }) => entry);
}
