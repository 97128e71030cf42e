import { Alert, Button, Group } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { strings } from '@/strings';
import type { SpecForm } from './use-spec-form';

const text = strings.newRun.yaml;

/** In place of a view that could only show what the text no longer says. */
export function UnreadableNotice({ form, onOpen }: { form: SpecForm; onOpen: () => void }) {
  const fault = form.draft?.fault;
  if (!fault) return null;
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      icon={<IconAlertTriangle size={18} aria-hidden />}
      title={text.faultTitle}
    >
      <p>{`${text.line(fault.line)}: ${fault.message} ${fault.fix}`}</p>
      <Group gap="xs" mt="sm">
        <Button size="xs" onClick={onOpen}>
          {text.mend}
        </Button>
        <Button size="xs" variant="default" onClick={form.dropText}>
          {text.drop}
        </Button>
      </Group>
    </Alert>
  );
}
