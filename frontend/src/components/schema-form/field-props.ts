import type { Json } from '@/lib/document-path';
import { joinPath, valueAt } from '@/lib/document-path';
import { titleOf } from '@/lib/humanize';
import { defaultOf, resolve, type JsonSchema } from '@/lib/json-schema';
import { fieldId, useFieldError, useForm } from './form-context';

export interface FieldProps {
  path: string;
  name: string;
  schema: JsonSchema;
  /** The setting beside it that is emptied when this one is given. */
  rival?: string | undefined;
}

/** What every kind of input shows around itself. */
export function useField({ path, name, schema, rival }: FieldProps) {
  const { document, root, setValue } = useForm();
  const error = useFieldError(path);
  const own = resolve(schema, root);
  const unit = own['x-unit'];
  const title = titleOf(name, own.title);
  return {
    value: valueAt(document, path),
    defaultValue: defaultOf(schema, root),
    setValue: (value: Json) => {
      setValue(path, value);
      if (rival === undefined || value === null) return;
      setValue(joinPath(path.split('.').slice(0, -1).join('.'), rival), null);
    },
    range: own['x-slider'],
    frame: {
      id: fieldId(path),
      label: unit === undefined ? title : `${title} (${unit})`,
      description: own.description?.split('\n\n')[0],
      error,
    },
  };
}
