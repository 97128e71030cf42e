/** What a document says about sites: whose data, what to predict, and who takes part. */
import type { SiteChoice } from '@/api/sites';
import { textOf, valueAt, type Json, type JsonObject } from '@/lib/document-path';

const SITES = 'sites';

function isSites(document: Json, path: string): boolean {
  return valueAt(document, path) === SITES;
}

/** Whether anything of it is about sites. */
export function isOnSites(document: Json): boolean {
  return isSites(document, 'dataset.kind') || isSites(document, 'runtime.placement');
}

/** Whether its data and their division are those of sites. */
export function isWhollyOnSites(document: Json): boolean {
  return isSites(document, 'dataset.kind') && isSites(document, 'partition.kind');
}

function isListed(value: Json | undefined): value is Json[] {
  return Array.isArray(value) && value.length > 0;
}

/** The settings that the picker shows; columns only once there are some to be changed. */
export function placesOf(document: Json): ReadonlySet<string> {
  if (!isOnSites(document)) return new Set();
  const columns = isListed(valueAt(document, 'dataset.inputs'))
    ? []
    : ['dataset.inputs', 'dataset.target'];
  return new Set(['dataset.name', 'runtime.sites', ...columns]);
}

export function choiceIn(document: Json): SiteChoice {
  const isHere = isSites(document, 'dataset.kind');
  const target = isHere ? textOf(valueAt(document, 'dataset.target.column')) : '';
  const sites = valueAt(document, 'runtime.sites');
  return {
    dataset: isHere ? textOf(valueAt(document, 'dataset.name')) : '',
    target: target === '' ? null : target,
    sites: isListed(sites) ? sites.map(textOf) : [],
  };
}

/** The sections that a choice changes at once; the columns follow when the server has read them. */
export function sectionsOf(document: JsonObject, choice: SiteChoice): JsonObject {
  const { dataset, target, sites } = choice;
  const old = choiceIn(document);
  const isSame = old.dataset === dataset && old.target === target;
  const fresh = {
    kind: SITES,
    name: dataset,
    inputs: [],
    target: { column: target ?? '', classes: null },
  };
  const runtime = document['runtime'] as JsonObject;
  return {
    dataset: isSame && isSites(document, 'dataset.kind') ? (document['dataset'] ?? fresh) : fresh,
    partition: { kind: SITES, clients: Math.max(1, sites.length) },
    runtime: { ...runtime, placement: SITES, sites: [...sites] },
  };
}

/** The sections that take a document off its sites again; `{}` gets what every run starts with. */
export function simulated(document: JsonObject, defaults: JsonObject): JsonObject {
  const runtime = document['runtime'] as JsonObject;
  return {
    dataset: defaults['dataset'] ?? {},
    partition: defaults['partition'] ?? {},
    runtime: { ...runtime, placement: 'local', sites: [], round_limit_s: null, min_updates: 1 },
  };
}
