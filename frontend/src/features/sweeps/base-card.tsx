import { leavesOf } from '@/components/schema-form/field-paths';
import { Card } from '@/components/ui/card';
import { Facts } from '@/components/ui/facts';
import { ButtonLink } from '@/components/ui/links';
import { isObject, valueAt, type JsonObject } from '@/lib/document-path';
import type { JsonSchema } from '@/lib/json-schema';
import { settingText, settingTitle } from '@/lib/setting-text';
import { strings } from '@/strings';
import classes from './new-sweep-page.module.css';

const text = strings.newSweep;

interface BaseCardProps {
  root: JsonSchema;
  base: JsonObject;
  /** The base with all defaults. */
  complete: JsonObject;
  name: string | undefined;
}

/** What all runs of the sweep share, as far as it differs from the defaults. */
export function BaseCard({ root, base, complete, name }: BaseCardProps) {
  const changed = Object.entries(root.properties ?? {}).flatMap(([path, schema]) =>
    leavesOf({ path, schema, isBasic: true }, complete, root).filter(({ isChanged }) => isChanged),
  );
  return (
    <Card
      title={text.base}
      text={name === undefined ? text.baseText : text.baseOf(name)}
      aside={
        <ButtonLink to="/new" search={{ spec: base }} size="xs" variant="default">
          {text.changeBase}
        </ButtonLink>
      }
    >
      {changed.length === 0 ? (
        <p className={classes['dim']}>{text.baseDefaults}</p>
      ) : (
        <Facts
          facts={changed.map(({ path }) => {
            const value = valueAt(complete, path);
            return {
              name: settingTitle(path),
              value: settingText(isObject(value) ? (value['kind'] ?? value) : value),
            };
          })}
        />
      )}
    </Card>
  );
}
