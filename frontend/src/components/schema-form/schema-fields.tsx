import { ActionIcon, Button, Input, Switch } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { isEqual, isObject, joinPath, valueAt, type Json } from '@/lib/document-path';
import { titleOf } from '@/lib/humanize';
import {
  defaultOf,
  defaultsOf,
  hasEffect,
  isListOfScalars,
  resolve,
  rivalOf,
  settingsOf,
  shapeOf,
  type JsonSchema,
  type Shape,
} from '@/lib/json-schema';
import { strings } from '@/strings';
import { BooleanField, EnumField, KindField } from './choice-fields';
import { useField, type FieldProps } from './field-props';
import { useForm } from './form-context';
import { NumberField, ScalarListField, TextField } from './text-fields';
import classes from './schema-fields.module.css';

/** Which settings of a section are shown: the short form has the basic ones. */
export type Depth = 'basic' | 'advanced' | 'all';

interface SchemaFieldProps extends FieldProps {
  depth: Depth;
}

/** The inputs for one place of the document, whatever its schema says it is. */
export function SchemaField({ depth, ...field }: SchemaFieldProps): ReactNode {
  const { root } = useForm();
  const shape = shapeOf(field.schema, root);
  switch (shape.type) {
    case 'constant':
    case 'unknown':
      return null;
    case 'number':
      return <NumberField {...field} integer={shape.integer} nullable={shape.nullable} />;
    case 'text':
      return <TextField {...field} nullable={shape.nullable} />;
    case 'boolean':
      return <BooleanField {...field} />;
    case 'enum':
      return <EnumField {...field} values={shape.values} nullable={shape.nullable} />;
    case 'list':
      return <ListField {...field} shape={shape} />;
    case 'union':
      return <UnionFields {...field} shape={shape} depth={depth} />;
    case 'object':
      return <ObjectFields {...field} shape={shape} depth={depth} />;
  }
}

function isVisible(schema: JsonSchema, root: JsonSchema, depth: Depth): boolean {
  if (depth === 'all') return true;
  return (resolve(schema, root)['x-basic'] === true) === (depth === 'basic');
}

function SettingsFields({
  path,
  properties,
  depth,
}: {
  path: string;
  properties: Record<string, JsonSchema>;
  depth: Depth;
}) {
  const { root, document, elsewhere } = useForm();
  const values = valueAt(document, path);
  /** What has no effect is left out, unless it was set nevertheless. */
  const matters = (name: string, schema: JsonSchema) =>
    hasEffect(schema, values, root) || !isEqual(valueAt(values, name), defaultOf(schema, root));
  return Object.entries(properties)
    .filter(([name]) => !elsewhere.has(joinPath(path, name)))
    .filter(([name, schema]) => isVisible(schema, root, depth) && matters(name, schema))
    .map(([name, schema]) => (
      <SchemaField
        key={name}
        path={joinPath(path, name)}
        name={name}
        schema={schema}
        rival={rivalOf(name, properties, root)}
        // Below a section, a shown setting is shown with all of its parts.
        depth="all"
      />
    ));
}

function UnionFields({
  shape,
  depth,
  ...field
}: SchemaFieldProps & { shape: Extract<Shape, { type: 'union' }> }) {
  const { document } = useForm();
  const value = valueAt(document, field.path);
  const kind = isObject(value) ? value['kind'] : undefined;
  const variant = shape.variants.find((candidate) => candidate.kind === kind);
  return (
    <>
      {depth !== 'advanced' && (
        <KindField {...field} variants={shape.variants} nullable={shape.nullable} />
      )}
      {variant && (
        <SettingsFields path={field.path} properties={settingsOf(variant)} depth={depth} />
      )}
    </>
  );
}

function ObjectFields({
  shape,
  depth,
  ...field
}: SchemaFieldProps & { shape: Extract<Shape, { type: 'object' }> }) {
  const { value, frame, setValue } = useField(field);
  const { root } = useForm();
  if (!shape.nullable) {
    return <SettingsFields path={field.path} properties={shape.properties} depth={depth} />;
  }
  return (
    <fieldset className={classes['nested']}>
      <Switch
        {...frame}
        size="sm"
        checked={isObject(value)}
        onChange={(event) => {
          setValue(event.currentTarget.checked ? defaultsOf(shape.properties, root) : null);
        }}
      />
      {isObject(value) && (
        <div className={classes['grid']}>
          <SettingsFields path={field.path} properties={shape.properties} depth="all" />
        </div>
      )}
    </fieldset>
  );
}

function ListField({ shape, ...field }: FieldProps & { shape: Extract<Shape, { type: 'list' }> }) {
  const { root } = useForm();
  const { items, nullable } = shape;
  if (!isListOfScalars(items, root)) return <EntryList {...field} items={items} />;
  const of = shapeOf(items, root).type === 'number' ? 'numbers' : 'texts';
  return <ScalarListField {...field} of={of} nullable={nullable} />;
}

function EntryList({ items, ...field }: FieldProps & { items: JsonSchema }) {
  const { root } = useForm();
  const { value, frame, setValue } = useField(field);
  const entries: Json[] = Array.isArray(value) ? value : [];
  return (
    <Input.Wrapper {...frame} className={classes['nested']}>
      {entries.map((_, index) => (
        // Entries have no identity beside their position.
        <div key={index} className={classes['entry']}>
          <div className={classes['grid']}>
            <SchemaField
              path={joinPath(field.path, index)}
              name={titleOf(field.name, undefined)}
              schema={items}
              depth="all"
            />
          </div>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={strings.form.removeEntry(index + 1, frame.label)}
            onClick={() => {
              setValue(entries.filter((__, position) => position !== index));
            }}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlus size={14} aria-hidden />}
        onClick={() => {
          setValue([...entries, defaultOf(items, root)]);
        }}
      >
        {strings.form.addEntry}
      </Button>
    </Input.Wrapper>
  );
}
