import { ActionIcon, Button, Group, Popover } from '@mantine/core';
import { IconTrash, type Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';

interface SavedPopoverProps {
  label: string;
  title: string;
  icon: Icon;
  position: 'bottom-start' | 'bottom-end';
  width: number;
  isOpen: boolean;
  onToggle: () => void;
  children: ReactNode;
}

/** A button that opens what the user has kept under names of their own. */
export function SavedPopover({ icon: Symbol, ...props }: SavedPopoverProps) {
  return (
    <Popover
      position={props.position}
      shadow="md"
      width={props.width}
      trapFocus
      returnFocus
      opened={props.isOpen}
      onChange={props.onToggle}
    >
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<Symbol size={14} aria-hidden />}
          onClick={props.onToggle}
        >
          {props.label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={props.title}>{props.children}</Popover.Dropdown>
    </Popover>
  );
}

interface SavedRowProps {
  /** Says what the bin would delete. */
  label: string;
  onDelete: () => void;
  /** The link that opens it. */
  children: ReactNode;
}

/** One thing that was kept, with a way to open it and one to delete it. */
export function SavedRow({ label, onDelete, children }: SavedRowProps) {
  return (
    <Group justify="space-between" wrap="nowrap" gap="xs">
      {children}
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={label} onClick={onDelete}>
        <IconTrash size={14} aria-hidden />
      </ActionIcon>
    </Group>
  );
}
