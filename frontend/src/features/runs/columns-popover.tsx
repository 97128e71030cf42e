import { Button, Checkbox, Popover, Select, Stack, Switch, Text } from '@mantine/core';
import { IconColumns3 } from '@tabler/icons-react';
import type { RunListView } from '@/lib/url-state';
import { strings } from '@/strings';
import { chosenColumns, columnsSearch, RUN_COLUMNS } from './run-columns';

const text = strings.runList;
const DEFAULT_SORT = '-created_at';

interface ColumnsPopoverProps {
  view: RunListView;
  onChange: (changes: { columns?: string | undefined; sort?: string | undefined }) => void;
}

/** Which columns are shown, and in which order the rows come: on a phone there are no headings. */
export function ColumnsPopover({ view, onChange }: ColumnsPopoverProps) {
  const sort = view.sort ?? DEFAULT_SORT;
  const isDescending = sort.startsWith('-');
  const write = (ordering: string, descending: boolean) => {
    const next = `${descending ? '-' : ''}${ordering}`;
    onChange({ sort: next === DEFAULT_SORT ? undefined : next });
  };
  const sortable = [
    { value: 'name', label: text.columns.name },
    ...RUN_COLUMNS.flatMap(({ id, ordering }) =>
      ordering === undefined ? [] : [{ value: ordering, label: text.columns[id] }],
    ),
  ];
  return (
    <Popover position="bottom-end" shadow="md" width={240} trapFocus returnFocus>
      <Popover.Target>
        <Button size="xs" variant="default" leftSection={<IconColumns3 size={14} aria-hidden />}>
          {text.columnsButton}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={text.columnsTitle}>
        <Stack gap="sm">
          <Select
            size="xs"
            label={text.sortTitle}
            data={sortable}
            value={sort.replace(/^-/, '')}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
            onChange={(next) => {
              if (next !== null) write(next, isDescending);
            }}
          />
          <Switch
            size="xs"
            label={text.sortDescending}
            checked={isDescending}
            onChange={(event) => {
              write(sort.replace(/^-/, ''), event.currentTarget.checked);
            }}
          />
          <Checkbox.Group
            label={<Text size="xs">{text.columnsTitle}</Text>}
            value={chosenColumns(view.columns).map(({ id }) => id)}
            onChange={(ids) => {
              onChange({ columns: columnsSearch(ids) });
            }}
          >
            <Stack gap={7} mt={6}>
              {RUN_COLUMNS.map(({ id }) => (
                <Checkbox key={id} size="xs" value={id} label={text.columns[id]} />
              ))}
            </Stack>
          </Checkbox.Group>
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() => {
              onChange({ columns: undefined });
            }}
          >
            {text.resetColumns}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
