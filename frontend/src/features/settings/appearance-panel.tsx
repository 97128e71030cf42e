import { Select, Stack } from '@mantine/core';
import { useState } from 'react';
import { Card } from '@/components/ui/card';
import { ColorSchemeToggle } from '@/components/ui/color-scheme-toggle';
import { chooseTimeZone, chosenTimeZone } from '@/lib/time-zone';
import { strings } from '@/strings';
import classes from './settings.module.css';

const text = strings.access.appearance;
const SYSTEM = 'system';

/** Colours and time zone: remembered in this browser, not in the account. */
export function AppearancePanel() {
  const [zone, setZone] = useState(chosenTimeZone() ?? SYSTEM);
  const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <Card title={text.title}>
      <Stack gap="md" align="flex-start">
        <div>
          <div className={classes['label']}>{text.scheme}</div>
          <ColorSchemeToggle />
        </div>
        <Select
          label={text.zone}
          description={text.zoneText}
          w="100%"
          maw={360}
          searchable
          allowDeselect={false}
          value={zone}
          data={[
            { value: SYSTEM, label: text.system(own) },
            ...Intl.supportedValuesOf('timeZone').map((name) => ({ value: name, label: name })),
          ]}
          onChange={(value) => {
            const chosen = value ?? SYSTEM;
            setZone(chosen);
            chooseTimeZone(chosen === SYSTEM ? undefined : chosen);
          }}
        />
      </Stack>
    </Card>
  );
}
