import { useForm } from '@/components/schema-form/form-context';
import { SchemaField, type Depth } from '@/components/schema-form/schema-fields';
import classes from './section-fields.module.css';

/** The inputs of one section of the spec, side by side. */
export function SectionFields({ section, depth }: { section: string; depth: Depth }) {
  const { root } = useForm();
  const schema = root.properties?.[section];
  if (schema === undefined) return null;
  return (
    <div className={classes['grid']}>
      <SchemaField path={section} name={section} schema={schema} depth={depth} />
    </div>
  );
}
