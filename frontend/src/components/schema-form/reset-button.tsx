import { ActionIcon } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { isEqual, textOf, type Json } from '@/lib/document-path';
import { strings } from '@/strings';

interface ResetButtonProps {
  label: string;
  value: Json | undefined;
  defaultValue: Json;
  onReset: (value: Json) => void;
}

/** Appears in a field that differs from its default, and puts the default back. */
export function ResetButton({ label, value, defaultValue, onReset }: ResetButtonProps) {
  if (isEqual(value, defaultValue)) return null;
  const text = strings.form.reset(label, textOf(defaultValue));
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="sm"
      aria-label={text}
      title={text}
      onClick={() => {
        onReset(defaultValue);
      }}
    >
      <IconArrowBackUp size={14} aria-hidden />
    </ActionIcon>
  );
}
