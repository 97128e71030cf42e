import { Button, CopyButton as Copy } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { strings } from '@/strings';

export function CopyButton({ value, label }: { value: string; label?: string }) {
  return (
    <Copy value={value}>
      {({ copied, copy }) => (
        <Button
          size="xs"
          variant="default"
          onClick={copy}
          leftSection={
            copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />
          }
        >
          {copied ? strings.actions.copied : (label ?? strings.actions.copy)}
        </Button>
      )}
    </Copy>
  );
}
