import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { validationQuery } from '@/api/spec';
import { assignProblems, leavesOf } from '@/components/schema-form/field-paths';
import type { FieldProblem } from '@/components/schema-form/form-context';
import { isEqual, isObject, withValueAt, type Json, type JsonObject } from '@/lib/document-path';
import { defaultsOf, type JsonSchema } from '@/lib/json-schema';

const VALIDATE_AFTER_MS = 300;

/** The document that is being written, and what the server thinks of it. */
export function useSpecForm(root: JsonSchema, initial: JsonObject | undefined) {
  const [document, setDocument] = useState<JsonObject>(() => ({
    ...defaultsOf(root.properties ?? {}, root),
    ...initial,
  }));
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
  const assigned = useMemo(
    () => assignProblems(refused.length > 0 ? refused : (reported ?? []), leaves),
    [refused, reported, leaves],
  );

  return {
    document,
    leaves,
    ...assigned,
    validation,
    /** Whether the answer is about what the form shows now. */
    isCurrent: isEqual(settled, document) && !validation.isPlaceholderData,
    setValue: (path: string, value: Json) => {
      setRefused([]);
      setDocument((old) => {
        const next = withValueAt(old, path, value);
        return isObject(next) ? next : old;
      });
    },
    /** Show another document, completed with defaults. */
    replace: (next: JsonObject) => {
      setRefused([]);
      setDocument({ ...defaultsOf(root.properties ?? {}, root), ...next });
    },
    setRefused,
    reset: () => {
      setRefused([]);
      setDocument(defaultsOf(root.properties ?? {}, root));
    },
  };
}

export type SpecForm = ReturnType<typeof useSpecForm>;
