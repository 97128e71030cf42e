/** The part of JSON Schema that the server uses to describe a spec. */

import { isObject, textOf, type Json, type JsonObject } from './document-path';

export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  title?: string;
  description?: string;
  type?: string;
  const?: Json;
  enum?: Json[];
  default?: Json;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  discriminator?: { propertyName: string; mapping: Record<string, string> };
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  'x-basic'?: boolean;
  'x-unit'?: string;
  /** The useful range of a number. */
  'x-slider'?: { low: number; high: number; scale: 'linear' | 'log' };
  /** Of two settings that exclude each other, the one that empties the other when it is given. */
  'x-instead-of'?: string;
  /** Without effect unless another setting has one of these values. */
  'x-only-with'?: { name: string; values: Json[] };
}

/** One alternative of a tagged union. */
export interface Variant {
  kind: string;
  schema: JsonSchema;
}

/** A schema with its references and its "or null" resolved: what a form field needs to know. */
export type Shape =
  | { type: 'constant'; value: Json }
  | { type: 'number'; integer: boolean; nullable: boolean }
  | { type: 'text'; nullable: boolean }
  | { type: 'boolean' }
  | { type: 'enum'; values: string[]; nullable: boolean }
  | { type: 'list'; items: JsonSchema; nullable: boolean }
  | { type: 'union'; variants: Variant[]; nullable: boolean }
  | { type: 'object'; properties: Record<string, JsonSchema>; nullable: boolean }
  | { type: 'unknown' };

/** Follow `$ref`; keys beside the reference (title, default, ...) win over those it points to. */
export function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const { $ref: reference, ...own } = schema;
  const target = root.$defs?.[reference.replace('#/$defs/', '')];
  if (target === undefined) return own;
  // The title of a definition is the name of its class, which is no word for people.
  const { title, ...referred } = resolve(target, root);
  return { ...referred, ...own };
}

function withoutNull(
  schema: JsonSchema,
  root: JsonSchema,
): [schema: JsonSchema, nullable: boolean] {
  const { anyOf, ...own } = schema;
  const choices = anyOf?.filter((option) => option.type !== 'null');
  const only = choices?.[0];
  if (anyOf === undefined || only === undefined || choices?.length !== 1) return [schema, false];
  return [{ ...resolve(only, root), ...own }, anyOf.length > 1];
}

export function shapeOf(schema: JsonSchema, root: JsonSchema): Shape {
  const [plain, nullable] = withoutNull(resolve(schema, root), root);
  if (plain.const !== undefined) return { type: 'constant', value: plain.const };
  if (plain.oneOf !== undefined)
    return { type: 'union', variants: variantsOf(plain, root), nullable };
  if (plain.enum !== undefined) return { type: 'enum', values: plain.enum.map(textOf), nullable };
  switch (plain.type) {
    case 'integer':
    case 'number':
      return { type: 'number', integer: plain.type === 'integer', nullable };
    case 'string':
      return { type: 'text', nullable };
    case 'boolean':
      return { type: 'boolean' };
    case 'array':
      return { type: 'list', items: plain.items ?? {}, nullable };
    case 'object':
      return { type: 'object', properties: plain.properties ?? {}, nullable };
    default:
      return { type: 'unknown' };
  }
}

function variantsOf(schema: JsonSchema, root: JsonSchema): Variant[] {
  const tag = schema.discriminator?.propertyName ?? 'kind';
  return (schema.oneOf ?? []).map((option) => {
    const variant = resolve(option, root);
    return { kind: textOf(variant.properties?.[tag]?.const), schema: variant };
  });
}

/** Whether a list is short enough to type: numbers or words, separated by commas. */
export function isListOfScalars(items: JsonSchema, root: JsonSchema): boolean {
  const { type } = shapeOf(items, root);
  return type === 'number' || type === 'text' || type === 'enum';
}

/** The settings of a variant beside its `kind`. */
export function settingsOf(variant: Variant): Record<string, JsonSchema> {
  const entries = Object.entries(variant.schema.properties ?? {});
  return Object.fromEntries(entries.filter(([name]) => name !== 'kind'));
}

/** The value that the server would fill in. */
export function defaultOf(schema: JsonSchema, root: JsonSchema): Json {
  const resolved = resolve(schema, root);
  if (resolved.default !== undefined) return resolved.default;
  const shape = shapeOf(resolved, root);
  switch (shape.type) {
    case 'constant':
      return shape.value;
    case 'object':
      return shape.nullable ? null : defaultsOf(shape.properties, root);
    case 'union':
      return shape.nullable || shape.variants[0] === undefined
        ? null
        : defaultOfVariant(shape.variants[0], root);
    case 'list':
      return shape.nullable ? null : [];
    default:
      return null;
  }
}

export function defaultsOf(properties: Record<string, JsonSchema>, root: JsonSchema): JsonObject {
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, defaultOf(schema, root)]),
  );
}

/** A document with everything filled in that it leaves out, as the server would do it. */
export function completed(value: Json, schema: JsonSchema, root: JsonSchema): Json {
  const shape = shapeOf(schema, root);
  if (Array.isArray(value)) {
    return shape.type === 'list' ? value.map((item) => completed(item, shape.items, root)) : value;
  }
  if (!isObject(value)) return value;
  if (shape.type === 'object') return completedSettings(value, shape.properties, root);
  const variant =
    shape.type === 'union' ? shape.variants.find(({ kind }) => kind === value['kind']) : undefined;
  return variant === undefined
    ? value
    : completedSettings(value, variant.schema.properties ?? {}, root);
}

function completedSettings(
  given: JsonObject,
  properties: Record<string, JsonSchema>,
  root: JsonSchema,
): JsonObject {
  const rest = Object.entries(given).filter(([name]) => !(name in properties));
  const known = Object.entries(properties).map(([name, schema]): [string, Json] => {
    const value = given[name];
    if (value !== undefined) return [name, completed(value, schema, root)];
    return [name, isReplaced(name, given, properties, root) ? null : defaultOf(schema, root)];
  });
  return Object.fromEntries([...known, ...rest]);
}

/** Whether a setting is empty because another one is given in its place. */
function isReplaced(
  name: string,
  given: JsonObject,
  properties: Record<string, JsonSchema>,
  root: JsonSchema,
): boolean {
  return Object.entries(properties).some(
    ([other, schema]) =>
      resolve(schema, root)['x-instead-of'] === name && (given[other] ?? null) !== null,
  );
}

/** The setting that is emptied when this one is given, if there is one. */
export function rivalOf(
  name: string,
  siblings: Record<string, JsonSchema>,
  root: JsonSchema,
): string | undefined {
  const own = siblings[name];
  const replaced = own && resolve(own, root)['x-instead-of'];
  return (
    replaced ??
    Object.entries(siblings).find(
      ([, schema]) => resolve(schema, root)['x-instead-of'] === name,
    )?.[0]
  );
}

/** Whether a setting does anything, given the settings beside it. */
export function hasEffect(
  schema: JsonSchema,
  siblings: Json | undefined,
  root: JsonSchema,
): boolean {
  const condition = resolve(schema, root)['x-only-with'];
  if (condition === undefined || !isObject(siblings)) return true;
  const other = siblings[condition.name];
  return other === undefined || condition.values.includes(other);
}

function defaultOfVariant(variant: Variant, root: JsonSchema): JsonObject {
  return { kind: variant.kind, ...defaultsOf(settingsOf(variant), root) };
}

/** The document for another kind: settings that both kinds know keep their values. */
export function switchKind(
  current: Json | undefined,
  variant: Variant,
  root: JsonSchema,
): JsonObject {
  const fresh = defaultOfVariant(variant, root);
  if (!isObject(current)) return fresh;
  const kept = Object.entries(current).filter(([name]) => name !== 'kind' && name in fresh);
  return { ...fresh, ...Object.fromEntries(kept) };
}
