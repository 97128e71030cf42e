import type { CatalogueEntry, RunListItem } from '@/api/types';
import { kindText } from '@/api/kind-texts';
import { ProgressLine } from '@/components/ui/progress-line';
import { Sparkline } from '@/components/ui/sparkline';
import { StateBadge } from '@/components/ui/state-badge';
import { TagList } from '@/components/ui/tag-list';
import {
  formatAge,
  formatBytes,
  formatDateTime,
  formatDuration,
  formatInteger,
  formatMetric,
} from '@/lib/format';
import { splitList } from '@/lib/url-state';
import { strings } from '@/strings';
import classes from './run-table.module.css';

const { progress, curve } = strings.runList;

/** What cells need beside their run. */
export interface RowContext {
  now: number;
  catalogue: readonly CatalogueEntry[] | undefined;
  sparklines: ReadonlyMap<string, readonly number[]>;
}

interface RunColumn {
  id: keyof typeof strings.runList.columns;
  /** What the server calls the order by this column. */
  ordering?: string;
  isNumber?: boolean;
  isUsual?: boolean;
  render: (run: RunListItem, context: RowContext) => React.ReactNode;
}

/** Every column but the name, which is always there. */
export const RUN_COLUMNS: readonly RunColumn[] = [
  {
    id: 'state',
    ordering: 'state',
    isUsual: true,
    render: (run) => <StateBadge state={run.state} />,
  },
  {
    id: 'progress',
    ordering: 'rounds_done',
    isUsual: true,
    render: (run) => <Progress run={run} />,
  },
  {
    id: 'curve',
    isUsual: true,
    render: (run, { sparklines }) => {
      const values = sparklines.get(run.id) ?? [];
      return <Sparkline values={values} label={curve(values.length)} />;
    },
  },
  {
    id: 'accuracy',
    ordering: 'accuracy',
    isNumber: true,
    isUsual: true,
    render: (run) => formatMetric('accuracy', run.latest_metrics['accuracy']),
  },
  {
    id: 'loss',
    ordering: 'loss',
    isNumber: true,
    render: (run) => formatMetric('loss', run.latest_metrics['loss']),
  },
  {
    id: 'method',
    ordering: 'method',
    isUsual: true,
    render: (run, { catalogue }) => kindText(catalogue, 'algorithm', run.method).title,
  },
  {
    id: 'dataset',
    ordering: 'dataset',
    render: (run, { catalogue }) => kindText(catalogue, 'dataset', run.dataset).title,
  },
  {
    id: 'duration',
    ordering: 'seconds',
    isNumber: true,
    isUsual: true,
    render: (run) => formatDuration(run.totals.seconds),
  },
  {
    id: 'traffic',
    ordering: 'bytes',
    isNumber: true,
    render: (run) => formatBytes(run.totals.bytes_up + run.totals.bytes_down),
  },
  { id: 'tags', render: (run) => <TagList tags={run.tags} /> },
  { id: 'notes', render: (run) => <span className={classes['notes']}>{run.notes}</span> },
  { id: 'author', render: (run) => run.created_by },
  {
    id: 'age',
    ordering: 'created_at',
    isNumber: true,
    isUsual: true,
    render: (run, { now }) => (
      <time dateTime={run.created_at} title={formatDateTime(run.created_at)}>
        {formatAge(run.created_at, now)}
      </time>
    ),
  },
];

const USUAL = RUN_COLUMNS.filter((column) => column.isUsual).map((column) => column.id);

/** The columns that an address asks for, in their own order. */
export function chosenColumns(columns: string | undefined): readonly RunColumn[] {
  const wanted = columns === undefined ? USUAL : splitList(columns);
  return RUN_COLUMNS.filter((column) => wanted.includes(column.id));
}

/** Columns for an address; the usual ones need none. */
export function columnsSearch(ids: readonly string[]): string | undefined {
  const ordered = RUN_COLUMNS.map((column) => column.id).filter((id) => ids.includes(id));
  return ordered.join(',') === USUAL.join(',') ? undefined : ordered.join(',') || 'name';
}

function Progress({ run }: { run: RunListItem }) {
  return (
    <>
      <span className={classes['rounds']}>
        {formatInteger(run.rounds_done)}
        <span className={classes['total']}>{` / ${formatInteger(run.rounds_total)}`}</span>
      </span>
      <ProgressLine
        done={run.rounds_done}
        total={run.rounds_total}
        label={progress(run.rounds_done, run.rounds_total)}
        tone={run.state === 'failed' ? 'bad' : run.state === 'cancelled' ? 'muted' : 'brand'}
      />
    </>
  );
}
