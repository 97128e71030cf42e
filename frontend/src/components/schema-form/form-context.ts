import { createContext, use } from 'react';
import type { KindText } from '@/api/kind-texts';
import type { Json } from '@/lib/document-path';
import type { JsonSchema } from '@/lib/json-schema';

/** What the server says about one place of the document. */
export interface FieldProblem {
  path: string;
  message: string;
  fix: string;
}

interface FormContextValue {
  /** The whole schema, which holds the definitions that its parts refer to. */
  root: JsonSchema;
  document: Json;
  /** Problems by the path of the input that shows them. */
  problems: ReadonlyMap<string, readonly FieldProblem[]>;
  /** Settings that another part of the screen shows, which the fields leave out. */
  elsewhere: ReadonlySet<string>;
  describeKind: (path: string, kind: string) => KindText;
  setValue: (path: string, value: Json) => void;
}

export const FormContext = createContext<FormContextValue | null>(null);

export function useForm(): FormContextValue {
  const form = use(FormContext);
  if (form === null) throw new Error('A schema field is used outside of its form.');
  return form;
}

/** Ids let the summary of problems jump to a field. */
export function fieldId(path: string): string {
  return `field-${path}`;
}

/** The problems of one field as one text, or undefined when it is fine. */
export function useFieldError(path: string): string | undefined {
  const own = useForm().problems.get(path);
  return own?.map(({ message, fix }) => (fix === '' ? message : `${message} ${fix}`)).join(' ');
}
