import type { ReactNode } from 'react';
import { useForm } from '@/components/schema-form/form-context';
import { SchemaField, type Depth } from '@/components/schema-form/schema-fields';
import classes from './section-fields.module.css';

/** The inputs of one section of the spec. */
export function SectionFields({ section, depth }: { section: string; depth: Depth }) {
  const { root } = useForm();
  const schema = root.properties?.[section];
  if (schema === undefined) return null;
  return <SchemaField path={section} name={section} schema={schema} depth={depth} />;
}

/** Inputs side by side, as many as there is room for. */
export function FieldGrid({ children }: { children: ReactNode }) {
  return (
    <div className={classes['box']}>
      <div className={classes['grid']}>{children}</div>
    </div>
  );
}
