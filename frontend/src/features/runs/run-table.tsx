import { ActionIcon, Checkbox, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconStar, IconStarFilled } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { describeRun, runKeys, sparklinesQuery } from '@/api/runs';
import { catalogueQuery } from '@/api/spec';
import type { RunListItem } from '@/api/types';
import { TagList } from '@/components/ui/tag-list';
import { useNow } from '@/lib/use-now';
import { strings } from '@/strings';
import { chosenColumns, type RowContext } from './run-columns';
import classes from './run-table.module.css';

const text = strings.runList;

interface RunTableProps {
  runs: readonly RunListItem[];
  columns: string | undefined;
  sort: string | undefined;
  onSort: (sort: string) => void;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
}

/** One line per run; on a phone, one block per run. */
export function RunTable(props: RunTableProps) {
  const { runs, selected, onSelect } = props;
  const columns = chosenColumns(props.columns);
  const context = useRowContext(
    runs,
    columns.some(({ id }) => id === 'curve'),
  );
  const isAll = runs.every((run) => selected.has(run.id));
  return (
    <div className={classes['scroll']}>
      <table className={classes['table']}>
        <thead>
          <tr>
            <th scope="col" className={classes['select']}>
              <Checkbox
                size="xs"
                aria-label={text.selectAll}
                checked={isAll}
                indeterminate={!isAll && selected.size > 0}
                onChange={() => {
                  onSelect(isAll ? new Set() : new Set(runs.map((run) => run.id)));
                }}
              />
            </th>
            <SortableHead {...props} title={text.columns.name} ordering="name" />
            {columns.map(({ id, ordering, isNumber = false }) => (
              <SortableHead
                key={id}
                {...props}
                title={text.columns[id]}
                ordering={ordering}
                isNumber={isNumber}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <RunRow
              key={run.id}
              run={run}
              columns={columns}
              context={context}
              isSelected={selected.has(run.id)}
              onToggle={() => {
                const next = new Set(selected);
                if (!next.delete(run.id)) next.add(run.id);
                onSelect(next);
              }}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function useRowContext(runs: readonly RunListItem[], hasCurves: boolean): RowContext {
  const now = useNow();
  const { data: catalogue } = useQuery(catalogueQuery);
  const started = runs.filter((run) => run.rounds_done > 1).map((run) => run.id);
  const numFinal = runs.filter((run) => run.is_final).length;
  const { data } = useQuery({
    ...sparklinesQuery(started.slice(0, 200), 'accuracy', numFinal),
    enabled: hasCurves && started.length > 0,
    refetchInterval: runs.some((run) => !run.is_final) ? 5_000 : false,
  });
  return {
    now,
    catalogue,
    sparklines: new Map(data?.lines.map((line) => [line.run, line.values])),
  };
}

interface SortableHeadProps {
  title: string;
  ordering?: string | undefined;
  isNumber?: boolean;
  sort: string | undefined;
  onSort: (sort: string) => void;
}

function SortableHead({ title, ordering, isNumber = false, sort, onSort }: SortableHeadProps) {
  const className = isNumber ? classes['number'] : undefined;
  if (ordering === undefined) {
    return (
      <th scope="col" className={className}>
        {title}
      </th>
    );
  }
  const current = sort ?? '-created_at';
  const isDescending = current === `-${ordering}`;
  const isSorted = isDescending || current === ordering;
  const Arrow = isDescending ? IconArrowDown : IconArrowUp;
  return (
    <th
      scope="col"
      className={className}
      aria-sort={isSorted ? (isDescending ? 'descending' : 'ascending') : 'none'}
    >
      <UnstyledButton
        className={classes['sort'] ?? ''}
        title={text.sortBy(title)}
        onClick={() => {
          onSort(isDescending ? ordering : `-${ordering}`);
        }}
      >
        {title}
        {isSorted && <Arrow size={13} aria-hidden />}
      </UnstyledButton>
    </th>
  );
}

interface RunRowProps {
  run: RunListItem;
  columns: ReturnType<typeof chosenColumns>;
  context: RowContext;
  isSelected: boolean;
  onToggle: () => void;
}

function RunRow({ run, columns, context, isSelected, onToggle }: RunRowProps) {
  const showsTags = columns.some(({ id }) => id === 'tags');
  return (
    <tr data-selected={isSelected}>
      <td className={classes['select']}>
        <Checkbox
          size="xs"
          aria-label={text.select(run.name)}
          checked={isSelected}
          onChange={onToggle}
        />
      </td>
      <td className={classes['nameCell']}>
        <StarButton run={run} />
        {/* Stretched over the row by the style sheet, so that the whole row can be clicked. */}
        <Link to="/runs/$runId" params={{ runId: run.id }} className={classes['name']}>
          {run.name}
        </Link>
        <span className={classes['run']}>{strings.run.number(run.number)}</span>
        {!showsTags && run.tags.length > 0 && <TagList tags={run.tags} />}
      </td>
      {columns.map(({ id, isNumber = false, render }) => (
        <td
          key={id}
          className={isNumber ? classes['number'] : classes[id]}
          data-label={text.columns[id]}
        >
          {render(run, context)}
        </td>
      ))}
    </tr>
  );
}

function StarButton({ run }: { run: RunListItem }) {
  const queries = useQueryClient();
  const star = useMutation({
    mutationFn: () => describeRun(run.id, { is_favourite: !run.is_favourite }),
    onSettled: () => queries.invalidateQueries({ queryKey: runKeys.lists() }),
  });
  const isStarred = star.isPending ? !run.is_favourite : run.is_favourite;
  return (
    <ActionIcon
      className={classes['star'] ?? ''}
      variant="subtle"
      color={isStarred ? 'yellow' : 'gray'}
      size="sm"
      aria-label={isStarred ? text.unstar(run.name) : text.star(run.name)}
      aria-pressed={isStarred}
      onClick={() => {
        star.mutate();
      }}
    >
      {isStarred ? <IconStarFilled size={15} aria-hidden /> : <IconStar size={15} aria-hidden />}
    </ActionIcon>
  );
}
