import type { CatalogueEntry } from '@/api/types';
import { kindText } from '@/api/kind-texts';
import { leavesOf } from '@/components/schema-form/field-paths';
import { isObject, valueAt, type Json, type JsonObject } from '@/lib/document-path';
import { settingTitle } from '@/lib/setting-text';
import { settingsOf, shapeOf, type JsonSchema, type Shape } from '@/lib/json-schema';

/** A setting that a sweep can change. */
export interface Sweepable {
  /** As the sweep names it; of a choice between kinds, the path of the kind. */
  path: string;
  title: string;
  section: string;
  input:
    | { type: 'number'; integer: boolean }
    | { type: 'text' }
    | { type: 'choice'; options: readonly { value: string; label: string; json: Json }[] };
}

/** Every setting of a document that a sweep can change, in the order of the form. */
export function sweepablesOf(
  root: JsonSchema,
  document: JsonObject,
  catalogue: readonly CatalogueEntry[],
): Sweepable[] {
  const properties = root.properties ?? {};
  return Object.entries(properties).flatMap(([section, schema]) =>
    leavesOf({ path: section, schema, isBasic: true }, document, root).flatMap(({ path }) => {
      const shape = shapeAt(path, root, document);
      const input = shape && inputFor(path, shape, catalogue);
      if (!input) return [];
      const full = shape.type === 'union' ? `${path}.kind` : path;
      return [{ path: full, title: settingTitle(full), section, input }];
    }),
  );
}

function inputFor(
  path: string,
  shape: Shape,
  catalogue: readonly CatalogueEntry[],
): Sweepable['input'] | undefined {
  switch (shape.type) {
    case 'number':
      return { type: 'number', integer: shape.integer };
    case 'text':
      return { type: 'text' };
    case 'boolean':
      return {
        type: 'choice',
        options: [true, false].map((json) => ({ value: String(json), label: String(json), json })),
      };
    case 'enum':
      return {
        type: 'choice',
        options: shape.values.map((value) => ({ value, label: value, json: value })),
      };
    case 'union':
      return {
        type: 'choice',
        options: shape.variants.map(({ kind }) => ({
          value: kind,
          label: kindText(catalogue, path, kind).title,
          json: kind,
        })),
      };
    default:
      return undefined;
  }
}

/** What is at a place of the document; nothing for what is inside of a list. */
function shapeAt(path: string, root: JsonSchema, document: JsonObject): Shape | undefined {
  let shape: Shape = { type: 'object', properties: root.properties ?? {}, nullable: false };
  const walked: string[] = [];
  for (const name of path.split('.')) {
    const child: JsonSchema | undefined = childrenOf(shape, valueAt(document, walked.join('.')))[
      name
    ];
    if (child === undefined) return undefined;
    shape = shapeOf(child, root);
    walked.push(name);
  }
  return shape;
}

function childrenOf(shape: Shape, value: Json | undefined): Record<string, JsonSchema> {
  if (shape.type === 'object') return shape.properties;
  if (shape.type !== 'union' || !isObject(value)) return {};
  const variant = shape.variants.find(({ kind }) => kind === value['kind']);
  return variant ? settingsOf(variant) : {};
}
