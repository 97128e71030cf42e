/** Read and change one place of a nested document by its dotted path, without mutation. */

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = Record<string, Json>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A document of the API, whose generated type is closed, as one that can be walked by path. */
export function asDocument(value: object): JsonObject {
  return value as JsonObject;
}

/** A value as text; nothing for what is not there. */
export function textOf(value: Json | undefined): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function joinPath(parent: string, name: string | number): string {
  return parent === '' ? String(name) : `${parent}.${name}`;
}

export function valueAt(document: Json | undefined, path: string): Json | undefined {
  if (path === '') return document;
  let value: Json | undefined = document;
  for (const part of path.split('.')) {
    if (Array.isArray(value)) value = value[Number(part)];
    else if (isObject(value)) value = value[part];
    else return undefined;
  }
  return value;
}

export function withValueAt(document: Json, path: string, value: Json): Json {
  return path === '' ? value : replace(document, path.split('.'), value);
}

function replace(node: Json, parts: readonly string[], value: Json): Json {
  const [part, ...rest] = parts;
  if (part === undefined) return value;
  if (Array.isArray(node)) {
    return node.map((item, index) => (index === Number(part) ? replace(item, rest, value) : item));
  }
  const object = isObject(node) ? node : {};
  return { ...object, [part]: replace(object[part] ?? {}, rest, value) };
}

export function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isEqual(a[key], b[key]));
}
