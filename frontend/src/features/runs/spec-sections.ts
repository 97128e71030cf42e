import { kindText } from '@/api/kind-texts';
import type { CatalogueEntry } from '@/api/types';
import {
  isEqual,
  isObject,
  joinPath,
  textOf,
  type Json,
  type JsonObject,
} from '@/lib/document-path';
import { humanize, titleOf } from '@/lib/humanize';
import { defaultOf, resolve, settingsOf, shapeOf, type JsonSchema } from '@/lib/json-schema';
import { strings } from '@/strings';

const text = strings.run.spec;

interface SpecFact {
  name: string;
  value: string;
  /** Whether the short form shows it. */
  isBasic: boolean;
  isChanged: boolean;
}

export interface SpecSection {
  key: string;
  title: string;
  facts: readonly SpecFact[];
}

function printValue(value: Json): string {
  if (value === null) return text.null;
  if (typeof value === 'boolean') return value ? text.on : text.off;
  if (Array.isArray(value))
    return value.length === 0 ? text.none : value.map(printValue).join(', ');
  if (typeof value === 'object') {
    const { kind, ...settings } = value;
    const parts = Object.entries(settings).map(
      ([name, part]) => `${humanize(name).toLowerCase()} ${printValue(part)}`,
    );
    return kind === undefined ? parts.join(', ') : `${textOf(kind)} (${parts.join(', ')})`;
  }
  return textOf(value);
}

/** Words and defaults for one part of a spec. */
interface Reader {
  root: JsonSchema;
  catalogue: readonly CatalogueEntry[] | undefined;
}

/** The settings of an object, its kind first; parts that are objects themselves are flattened. */
function factsOf(value: JsonObject, schema: JsonSchema, path: string, reader: Reader): SpecFact[] {
  const { root, catalogue } = reader;
  const shape = shapeOf(schema, root);
  const kind = value['kind'];
  const variant =
    shape.type === 'union' ? shape.variants.find((option) => option.kind === kind) : undefined;
  const properties =
    shape.type === 'object' ? shape.properties : variant ? settingsOf(variant) : {};
  return Object.entries(value).flatMap(([name, part]): SpecFact[] => {
    if (name === 'kind') {
      const usual = defaultOf(schema, root);
      const isChanged = isObject(usual) && usual['kind'] !== kind;
      const { title } = kindText(catalogue, path, textOf(part));
      return [{ name: text.kind, value: title, isBasic: true, isChanged }];
    }
    const child = properties[name];
    const title = titleOf(name, child && resolve(child, root).title);
    if (isObject(part) && child !== undefined) {
      const inner = factsOf(part, child, joinPath(path, name), reader);
      return inner.map((fact) => ({ ...fact, name: `${title}: ${fact.name.toLowerCase()}` }));
    }
    const isChanged = child !== undefined && !isEqual(part, defaultOf(child, root));
    const isBasic = child !== undefined && resolve(child, root)['x-basic'] === true;
    const isEnum = child !== undefined && shapeOf(child, root).type === 'enum';
    const value = isEnum && part !== null ? humanize(textOf(part)) : printValue(part);
    return [{ name: title, value, isBasic, isChanged }];
  });
}

/** A spec in the words of the form, section by section; scalars of the document come first. */
export function sectionsOf(
  spec: JsonObject,
  root: JsonSchema,
  catalogue: readonly CatalogueEntry[] | undefined,
): SpecSection[] {
  const properties = root.properties ?? {};
  const scalars = Object.fromEntries(Object.entries(spec).filter(([, part]) => !isObject(part)));
  const reader = { root, catalogue };
  const general = factsOf(scalars, { type: 'object', properties }, '', reader);
  const sections = Object.entries(spec).flatMap(([key, part]): SpecSection[] => {
    if (!isObject(part)) return [];
    const schema = properties[key] ?? {};
    const title = titleOf(key, resolve(schema, root).title);
    return [{ key, title, facts: factsOf(part, schema, key, reader) }];
  });
  return [{ key: 'general', title: text.general, facts: general }, ...sections];
}
