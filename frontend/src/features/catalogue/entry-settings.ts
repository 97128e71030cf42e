import type { CatalogueEntry } from '@/api/types';
import { textOf, type Json } from '@/lib/document-path';
import { titleOf } from '@/lib/humanize';
import { resolve, shapeOf, type JsonSchema, type Shape } from '@/lib/json-schema';
import { strings } from '@/strings';

const text = strings.catalogue;

export interface EntrySetting {
  name: string;
  title: string;
  unit: string | undefined;
  usual: string;
  limits: string;
  meaning: string;
}

/** What can be set, in the order of the form. */
export function settingsOfEntry(entry: CatalogueEntry): EntrySetting[] {
  const root = entry.schema as JsonSchema;
  const required = new Set(root.required);
  return Object.entries(root.properties ?? {})
    .filter(([name]) => name !== 'kind')
    .map(([name, schema]) => {
      const own = resolve(schema, root);
      return {
        name,
        title: titleOf(name, own.title),
        unit: own['x-unit'],
        usual: required.has(name) ? text.required : printDefault(own.default),
        limits: limitsOf(schema, root),
        meaning: own.description ?? '',
      };
    });
}

function printDefault(value: Json | undefined): string {
  if (value === null || value === undefined || value === '') return text.empty;
  if (typeof value === 'boolean') return value ? text.on : text.off;
  if (Array.isArray(value)) return value.length === 0 ? text.empty : value.map(textOf).join(', ');
  if (typeof value === 'object') return textOf(value['kind'] ?? JSON.stringify(value));
  return String(value);
}

/** What a setting may be, in a few words: "whole number, 1 to 1024". */
function limitsOf(schema: JsonSchema, root: JsonSchema): string {
  const shape = shapeOf(schema, root);
  const own = resolve(schema, root);
  // Of "a number or nothing", the limits are those of the number.
  const plain = own.anyOf?.find((option) => option.type !== 'null') ?? own;
  const words = wordsFor(shape, resolve(plain, root), root);
  return 'nullable' in shape && shape.nullable ? text.limits.orEmpty(words) : words;
}

function wordsFor(shape: Shape, plain: JsonSchema, root: JsonSchema): string {
  switch (shape.type) {
    case 'boolean':
      return text.limits.onOff;
    case 'enum':
      return text.limits.oneOf(shape.values.join(', '));
    case 'number':
      return [shape.integer ? text.limits.whole : text.limits.number, rangeOf(plain)]
        .filter((part) => part !== '')
        .join(', ');
    case 'list': {
      const items = limitsOf(shape.items, root);
      return items === '' ? text.limits.list : `${text.limits.list}: ${items}`;
    }
    case 'union':
      return text.limits.oneOf(shape.variants.map(({ kind }) => kind).join(', '));
    case 'object':
      return text.limits.group;
    case 'text':
      return text.limits.text;
    default:
      return '';
  }
}

function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const low = minimum ?? exclusiveMinimum;
  const high = maximum ?? exclusiveMaximum;
  const from = low === undefined ? '' : `${exclusiveMinimum === undefined ? '≥' : '>'}\u00a0${low}`;
  const to = high === undefined ? '' : `${exclusiveMaximum === undefined ? '≤' : '<'}\u00a0${high}`;
  return [from, to].filter((part) => part !== '').join(', ');
}
