import { Select, Switch, Text } from '@mantine/core';
import { isObject, textOf, valueAt } from '@/lib/document-path';
import { humanize } from '@/lib/humanize';
import { switchKind, type Variant } from '@/lib/json-schema';
import { strings } from '@/strings';
import { useField, type FieldProps } from './field-props';
import { useForm } from './form-context';

export function BooleanField(field: FieldProps) {
  const { value, setValue, frame } = useField(field);
  return (
    <Switch
      {...frame}
      size="sm"
      checked={value === true}
      onChange={(event) => {
        setValue(event.currentTarget.checked);
      }}
    />
  );
}

export function EnumField({
  values,
  nullable,
  ...field
}: FieldProps & { values: readonly string[]; nullable: boolean }) {
  const { value, setValue, frame } = useField(field);
  return (
    <Select
      {...frame}
      size="sm"
      data={values.map((option) => ({ value: option, label: humanize(option) }))}
      value={textOf(value) || null}
      onChange={setValue}
      allowDeselect={false}
      clearable={nullable}
      placeholder={strings.form.notSet}
      comboboxProps={{ shadow: 'md' }}
    />
  );
}

/** Which alternative of a union is used; its settings are fields of their own. */
export function KindField({
  variants,
  nullable,
  ...field
}: FieldProps & { variants: readonly Variant[]; nullable: boolean }) {
  const { root, document, describeKind } = useForm();
  const { setValue, frame } = useField(field);
  const value = valueAt(document, field.path);
  const kind = isObject(value) && typeof value['kind'] === 'string' ? value['kind'] : null;
  const texts = new Map(variants.map((v) => [v.kind, describeKind(field.path, v.kind)]));
  const summary = texts.get(kind ?? '')?.summary ?? '';
  return (
    <Select
      {...frame}
      description={summary === '' ? frame.description : summary}
      size="sm"
      data={variants.map((v) => ({ value: v.kind, label: texts.get(v.kind)?.title ?? v.kind }))}
      value={kind}
      onChange={(next) => {
        const variant = variants.find((candidate) => candidate.kind === next);
        if (variant !== undefined) setValue(switchKind(value, variant, root));
        else if (nullable) setValue(null);
      }}
      allowDeselect={false}
      clearable={nullable}
      placeholder={strings.form.noKind}
      searchable={variants.length > 6}
      comboboxProps={{ shadow: 'md', width: 'max-content', position: 'bottom-start' }}
      maxDropdownHeight={360}
      renderOption={({ option }) => (
        <div style={{ maxWidth: 380 }}>
          <Text size="sm" fw={500}>
            {option.label}
          </Text>
          <Text size="xs" c="dimmed">
            {texts.get(option.value)?.summary}
          </Text>
        </div>
      )}
      filter={({ options, search }) =>
        options.filter((option) => {
          if (!('value' in option)) return false;
          const text = texts.get(option.value);
          const words = [option.value, option.label, ...(text?.synonyms ?? [])].join(' ');
          return words.toLowerCase().includes(search.toLowerCase().trim());
        })
      }
    />
  );
}
