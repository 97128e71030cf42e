import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { validationQuery } from '@/api/spec';
import { assignProblems, leavesOf } from '@/components/schema-form/field-paths';
import type { FieldProblem } from '@/components/schema-form/form-context';
import { isEqual, isObject, withValueAt, type Json, type JsonObject } from '@/lib/document-path';
import { completed, defaultOf, type JsonSchema } from '@/lib/json-schema';
import {
  replaced,
  withDocument,
  withoutFault,
  withText,
  type SpecState,
  type YamlReading,
} from './spec-state';

const VALIDATE_AFTER_MS = 300;

/** The document that is being written, and what the server thinks of it. */
export function useSpecForm(root: JsonSchema, initial: JsonObject | undefined) {
  const complete = (document: JsonObject): JsonObject => {
    const whole = completed(document, { type: 'object', properties: root.properties ?? {} }, root);
    return isObject(whole) ? whole : document;
  };
  const [state, setState] = useState<SpecState>(() => replaced(complete(initial ?? {})));
  const { document, draft } = state;
  /** Found by a launch; they hold until the document changes. */
  const [refused, setRefused] = useState<readonly FieldProblem[]>([]);
  const [settled] = useDebouncedValue(document, VALIDATE_AFTER_MS);
  const validation = useQuery(validationQuery(settled));

  const leaves = useMemo(
    () =>
      Object.entries(root.properties ?? {}).flatMap(([path, schema]) =>
        leavesOf({ path, schema, isBasic: schema['x-basic'] === true }, document, root),
      ),
    [document, root],
  );
  const reported = validation.data?.problems;
  const problems = refused.length > 0 ? refused : (reported ?? NOTHING);
  const assigned = useMemo(() => assignProblems(problems, leaves), [problems, leaves]);

  const change = (next: (old: SpecState) => SpecState) => {
    setRefused([]);
    setState(next);
  };
  return {
    document,
    /** The sections that say something else than the defaults, for an address. */
    changes: () =>
      Object.fromEntries(
        Object.entries(document).filter(
          ([name, value]) => !isEqual(value, defaultOf(root.properties?.[name] ?? {}, root)),
        ),
      ),
    draft,
    leaves,
    problems,
    ...assigned,
    validation,
    /** Whether the answer is about what the form shows now. */
    isCurrent: isEqual(settled, document) && !validation.isPlaceholderData,
    setValue: (path: string, value: Json) => {
      change((old) => {
        const next = withValueAt(old.document, path, value);
        return isObject(next) ? withDocument(old, next) : old;
      });
    },
    /** Replace whole sections, completed with defaults. */
    setSections: (sections: JsonObject) => {
      change((old) => withDocument(old, complete({ ...old.document, ...sections })));
    },
    /** What was typed as YAML, and what it says. */
    setText: (text: string, reading: YamlReading) => {
      change((old) => withText(old, text, reading, complete));
    },
    dropText: () => {
      change(withoutFault);
    },
    /** Show another document, completed with defaults. */
    replace: (next: JsonObject) => {
      change(() => replaced(complete(next)));
    },
    setRefused,
    reset: () => {
      change(() => replaced(complete({})));
    },
  };
}

const NOTHING: readonly FieldProblem[] = [];

export type SpecForm = ReturnType<typeof useSpecForm>;
