import { Button, Checkbox, Popover, ScrollArea, Stack, Text } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { strings } from '@/strings';

const text = strings.runList.filters;

interface FilterPopoverProps {
  label: string;
  options: readonly { value: string; label: string; count?: number }[];
  value: readonly string[];
  onChange: (value: string[]) => void;
}

/** A button that opens a list of values, of which any number can be chosen. */
export function FilterPopover({ label, options, value, onChange }: FilterPopoverProps) {
  return (
    <Popover position="bottom-start" shadow="md" width={260} trapFocus returnFocus>
      <Popover.Target>
        <Button
          size="xs"
          variant={value.length > 0 ? 'light' : 'default'}
          rightSection={<IconChevronDown size={14} aria-hidden />}
        >
          {text.chosen(label, value.length)}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={label}>
        {options.length === 0 && (
          <Text size="sm" c="dimmed">
            {text.none}
          </Text>
        )}
        <ScrollArea.Autosize mah={320}>
          <Checkbox.Group value={[...value]} onChange={onChange} aria-label={label}>
            <Stack gap={8} p={2}>
              {options.map((option) => (
                <Checkbox
                  key={option.value}
                  size="xs"
                  value={option.value}
                  label={
                    option.count === undefined ? option.label : `${option.label} (${option.count})`
                  }
                />
              ))}
            </Stack>
          </Checkbox.Group>
        </ScrollArea.Autosize>
        {value.length > 0 && (
          <Button
            mt="sm"
            size="compact-xs"
            variant="subtle"
            onClick={() => {
              onChange([]);
            }}
          >
            {text.clear}
          </Button>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
