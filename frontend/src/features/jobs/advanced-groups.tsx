import { Accordion, Badge } from '@mantine/core';
import { useState } from 'react';
import type { Leaf } from '@/components/schema-form/field-paths';
import { useForm } from '@/components/schema-form/form-context';
import { titleOf } from '@/lib/humanize';
import { resolve, shapeOf, type JsonSchema } from '@/lib/json-schema';
import { strings } from '@/strings';
import classes from './advanced-groups.module.css';
import { FieldGrid, SectionFields } from './section-fields';
import type { SpecForm } from './use-spec-form';

const text = strings.newRun;
const GENERAL = 'general';

/** A folded group: one section of the spec, or all of its plain settings together. */
interface Group {
  id: string;
  title: string;
  description: string | undefined;
  sections: readonly string[];
  leaves: readonly Leaf[];
}

function isPlain(schema: JsonSchema, root: JsonSchema): boolean {
  const { type } = shapeOf(schema, root);
  return type !== 'object' && type !== 'union';
}

/** Whether there is something to choose: a lone alternative without settings is no choice. */
function hasChoice(schema: JsonSchema, root: JsonSchema, leaves: readonly Leaf[]): boolean {
  const shape = shapeOf(schema, root);
  return (
    leaves.length > 1 ||
    (leaves.length === 1 && !(shape.type === 'union' && shape.variants.length < 2))
  );
}

function groupsOf(root: JsonSchema, leaves: readonly Leaf[]): Group[] {
  const entries = Object.entries(root.properties ?? {});
  const advanced = (name: string) =>
    leaves.filter(({ path, isBasic }) => !isBasic && path.split('.')[0] === name);
  const plain = entries.filter(
    ([name, schema]) => isPlain(schema, root) && advanced(name).length > 0,
  );
  const general: Group = {
    id: GENERAL,
    title: text.general,
    description: undefined,
    sections: plain.map(([name]) => name),
    leaves: plain.flatMap(([name]) => advanced(name)),
  };
  const groups = entries
    .filter(([name, schema]) => !isPlain(schema, root) && hasChoice(schema, root, advanced(name)))
    .map(([name, schema]): Group => {
      const { title, description } = resolve(schema, root);
      return {
        id: name,
        title: titleOf(name, title),
        description,
        sections: [name],
        leaves: advanced(name),
      };
    });
  return [general, ...groups].filter((group) => group.leaves.length > 0);
}

/** Every setting that the short form leaves out, folded; a group with a problem is open. */
export function AdvancedGroups({ form }: { form: SpecForm }) {
  const { root, problems, elsewhere } = useForm();
  const [opened, setOpened] = useState<string[]>([]);
  const isHere = (path: string) =>
    ![...elsewhere].some((other) => path === other || path.startsWith(`${other}.`));
  const groups = groupsOf(
    root,
    form.leaves.filter(({ path }) => isHere(path)),
  );
  const wrong = groups.filter(({ leaves }) => leaves.some(({ path }) => problems.has(path)));
  return (
    <section>
      <h2 className={classes['title']}>{text.advanced}</h2>
      <Accordion
        multiple
        variant="contained"
        keepMounted={false}
        value={[...new Set([...opened, ...wrong.map(({ id }) => id)])]}
        onChange={setOpened}
        classNames={{ item: classes['item'] ?? '', label: classes['label'] ?? '' }}
      >
        {groups.map((group) => (
          <Accordion.Item key={group.id} value={group.id}>
            <Accordion.Control>
              <span className={classes['name']}>{group.title}</span>{' '}
              <span className={classes['description']}>{group.description}</span>
              <GroupBadge group={group} hasProblem={wrong.includes(group)} />
            </Accordion.Control>
            <Accordion.Panel>
              <GroupFields group={group} />
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
    </section>
  );
}

function GroupBadge({ group, hasProblem }: { group: Group; hasProblem: boolean }) {
  const { problems } = useForm();
  if (hasProblem) {
    const count = group.leaves.filter(({ path }) => problems.has(path)).length;
    return (
      <Badge color="red" variant="light" tt="none" fw={500}>
        {text.problems(count)}
      </Badge>
    );
  }
  const changed = group.leaves.filter((leaf) => leaf.isChanged).length;
  if (changed === 0) return null;
  return (
    <Badge variant="light" tt="none" fw={500}>
      {text.changed(changed)}
    </Badge>
  );
}

function GroupFields({ group }: { group: Group }) {
  const { root } = useForm();
  const isBasic = (name: string) =>
    resolve(root.properties?.[name] ?? {}, root)['x-basic'] === true;
  return (
    <FieldGrid>
      {group.sections.map((name) => (
        <SectionFields key={name} section={name} depth={isBasic(name) ? 'advanced' : 'all'} />
      ))}
    </FieldGrid>
  );
}
