import { isEqual, isObject, joinPath, valueAt, type Json } from '@/lib/document-path';
import {
  defaultOf,
  isListOfScalars,
  resolve,
  settingsOf,
  shapeOf,
  type JsonSchema,
} from '@/lib/json-schema';
import type { FieldProblem } from './form-context';

export interface Leaf {
  path: string;
  /** Whether the short form shows it. */
  isBasic: boolean;
  isChanged: boolean;
}

interface Place {
  path: string;
  schema: JsonSchema;
  isBasic: boolean;
}

/** Every place of the document that has an input of its own, from one place downwards. */
export function leavesOf(place: Place, document: Json, root: JsonSchema): Leaf[] {
  const { path, schema, isBasic } = place;
  const shape = shapeOf(schema, root);
  const value = valueAt(document, path);
  const kindOf = (part: Json | undefined) => (isObject(part) ? part['kind'] : undefined);
  const below = (properties: Record<string, JsonSchema>, basic: (s: JsonSchema) => boolean) =>
    Object.entries(properties).flatMap(([name, child]) =>
      leavesOf(
        { path: joinPath(path, name), schema: child, isBasic: isBasic && basic(child) },
        document,
        root,
      ),
    );
  const flagged = (child: JsonSchema) => resolve(child, root)['x-basic'] === true;

  switch (shape.type) {
    case 'constant':
    case 'unknown':
      return [];
    case 'union': {
      const kind = kindOf(value);
      const variant = shape.variants.find((candidate) => candidate.kind === kind);
      const own = { path, isBasic, isChanged: kind !== kindOf(defaultOf(schema, root)) };
      return [own, ...(variant ? below(settingsOf(variant), flagged) : [])];
    }
    case 'object': {
      if (!shape.nullable) return below(shape.properties, flagged);
      const own = { path, isBasic, isChanged: isObject(value) };
      return [own, ...(isObject(value) ? below(shape.properties, () => true) : [])];
    }
    case 'list': {
      const own = { path, isBasic, isChanged: !isEqual(value, defaultOf(schema, root)) };
      const entries = Array.isArray(value) ? value : [];
      const parts = entries.flatMap((_, index) =>
        leavesOf({ path: joinPath(path, index), schema: shape.items, isBasic }, document, root),
      );
      // A list of scalars is one input; a list of sections has an input for each of their settings.
      return isListOfScalars(shape.items, root) ? [own] : [own, ...parts];
    }
    default:
      return [{ path, isBasic, isChanged: !isEqual(value, defaultOf(schema, root)) }];
  }
}

interface AssignedProblems {
  /** By the path of the input that they are shown beside. */
  placed: ReadonlyMap<string, readonly FieldProblem[]>;
  /** About something that has no input. */
  unplaced: readonly FieldProblem[];
}

/** Give each problem to the input that it is about. */
export function assignProblems(
  problems: readonly FieldProblem[],
  leaves: readonly Leaf[],
): AssignedProblems {
  const paths = new Set(leaves.map((leaf) => leaf.path));
  const placed = new Map<string, FieldProblem[]>();
  const unplaced: FieldProblem[] = [];
  for (const problem of problems) {
    // The kind of a union is chosen at the union, and an item of a list of numbers in the list.
    const owner = [problem.path, problem.path.replace(/\.(kind|\d+)$/, '')].find((p) =>
      paths.has(p),
    );
    if (owner === undefined) unplaced.push(problem);
    else placed.set(owner, [...(placed.get(owner) ?? []), problem]);
  }
  return { placed, unplaced };
}
