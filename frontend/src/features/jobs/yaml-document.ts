/** Specs as YAML text that people edit: read with line numbers, changed without losing comments. */

import {
  Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type ErrorCode,
  type Node,
} from 'yaml';
import { isEqual, isObject, type Json, type JsonObject } from '@/lib/document-path';
import { strings } from '@/strings';
import type { SpecState, YamlFault, YamlReading } from './spec-state';

const text = strings.newRun.yaml;

/** Text that every reader of YAML understands alike; long lines stay whole. */
const PRINTED = { lineWidth: 0, flowCollectionPadding: false } as const;
const PARSED = { prettyErrors: false, compat: 'yaml-1.1' } as const;

const FAULTS: Partial<Record<ErrorCode, { message: string; fix: string }>> = text.faults;

/** What a text says, or the first line that keeps it from saying anything. */
export function readYaml(source: string): YamlReading {
  const lines = new LineCounter();
  const documents = parseAllDocuments(source, { ...PARSED, lineCounter: lines });
  const fault = (at: number, message: string, fix: string): { fault: YamlFault } => {
    const { line, col } = lines.linePos(at);
    return { fault: { line: Math.max(1, line), column: Math.max(1, col), at, message, fix } };
  };
  const [document, second] = documents;
  if (document === undefined) return { document: {} };
  const odd = syntaxError(document) ?? oddNode(document);
  if (odd !== null) return fault(odd.at, odd.message, odd.fix);
  if (second !== undefined) {
    return fault(second.range[0], text.severalDocuments, text.severalDocumentsFix);
  }
  const value: unknown = document.toJS();
  if (value === null || value === undefined) return { document: {} };
  if (!isObject(value)) {
    return fault(document.contents?.range[0] ?? 0, text.noMapping, text.noMappingFix);
  }
  return { document: value };
}

interface Oddity {
  at: number;
  message: string;
  fix: string;
}

function syntaxError(document: Document): Oddity | null {
  const error = document.errors[0];
  if (error === undefined) return null;
  const words = FAULTS[error.code] ?? { message: `${error.message}.`, fix: text.fix };
  return { at: error.pos[0], ...words };
}

/** The first thing that YAML has and a spec has not. */
function oddNode(document: Document): Oddity | null {
  let odd: Oddity | null = null;
  visit(document, {
    Alias: (_, node) => {
      odd = { at: node.range?.[0] ?? 0, message: text.alias, fix: text.aliasFix };
      return visit.BREAK;
    },
    Scalar: (_, node) => {
      if (typeof node.value !== 'number' || Number.isFinite(node.value)) return;
      const message = text.notFinite(String(node.source ?? node.value));
      odd = { at: node.range?.[0] ?? 0, message, fix: text.notFiniteFix };
      return visit.BREAK;
    },
  });
  return odd;
}

export function writeYaml(value: JsonObject): string {
  const document = new Document(value, { compat: 'yaml-1.1' });
  foldLists(document);
  return document.toString(PRINTED);
}

/** `[200, 200]` instead of a line for each number. */
function foldLists(document: Document): void {
  visit(document, {
    Seq: (_, node) => {
      if (node.items.every((item) => isScalar(item))) node.flow = true;
    },
  });
}

/** The text of a document: as it was typed, with what changed elsewhere put into it. */
export function yamlTextOf({ document, draft }: SpecState): string {
  if (draft === null) return writeYaml(document);
  if (draft.document === document) return draft.text;
  return patchYaml(draft.text, draft.document, document);
}

interface Change {
  path: readonly string[];
  /** Not there any more where it is undefined. */
  value: Json | undefined;
}

/** What has to be set so that one document becomes the other. */
function changesOf(before: JsonObject, after: JsonObject, path: readonly string[] = []): Change[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name): Change[] => {
    const [old, now] = [before[name], after[name]];
    const here = [...path, name];
    if (isEqual(old, now)) return [];
    if (isObject(old) && isObject(now) && old['kind'] === now['kind']) {
      return changesOf(old, now, here);
    }
    return [{ path: here, value: now }];
  });
}

/**
 * The text of `before`, changed in the places in which `after` differs: comments, order and
 * whatever is left out stay as they were.
 */
function patchYaml(source: string, before: JsonObject, after: JsonObject): string {
  const [document] = parseAllDocuments(source, PARSED);
  if (document === undefined || document.errors.length > 0 || !isMap(document.contents)) {
    return writeYaml(after);
  }
  for (const { path, value } of changesOf(before, after)) {
    if (value === undefined) {
      document.deleteIn(path);
      continue;
    }
    nameKinds(document, path, after);
    const old = document.getIn(path, true);
    if (isScalar(old) && !isObject(value) && !Array.isArray(value)) old.value = value;
    else document.setIn(path, document.createNode(value));
  }
  foldLists(document);
  return document.toString(PRINTED);
}

/** A section that the text leaves out needs its kind as soon as one of its settings is named. */
function nameKinds(document: Document, path: readonly string[], after: JsonObject): void {
  let value: Json | undefined = after;
  path.slice(0, -1).forEach((part, depth) => {
    value = isObject(value) ? value[part] : undefined;
    const kind = [...path.slice(0, depth + 1), 'kind'];
    if (isObject(value) && value['kind'] !== undefined && !document.hasIn(kind)) {
      document.setIn(kind, value['kind']);
    }
  });
}

interface Range {
  from: number;
  to: number;
}

/** Where a place of the document is written; if it is not, where what holds it is. */
export function rangeOf(source: string, path: string): Range {
  const [document] = parseAllDocuments(source, PARSED);
  let node: unknown = document?.contents;
  let found: Range = { from: 0, to: firstLineEnd(source) };
  for (const part of path === '' ? [] : path.split('.')) {
    if (!isCollection(node)) break;
    if (isSeq(node)) {
      node = node.items[Number(part)];
      if (isNode(node)) found = rangeOfNode(node, found);
      continue;
    }
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
    if (!isPair(pair)) break;
    const key = isNode(pair.key) ? rangeOfNode(pair.key, found) : found;
    found = isScalar(pair.value) ? { from: key.from, to: rangeOfNode(pair.value, key).to } : key;
    node = pair.value;
  }
  return found;
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isCollection(value) || isAlias(value);
}

function rangeOfNode(node: Node, otherwise: Range): Range {
  return node.range ? { from: node.range[0], to: node.range[1] } : otherwise;
}

function firstLineEnd(source: string): number {
  const end = source.indexOf('\n');
  return end < 0 ? source.length : end;
}
