import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { firstRunsQuery, runFacetsQuery, type RunFilter } from '@/api/runs';
import type { RunListItem, RunState } from '@/api/types';
import { Card } from '@/components/ui/card';
import { Failure, Loading } from '@/components/ui/feedback';
import { TextLink } from '@/components/ui/links';
import { PageHeader } from '@/components/ui/page-header';
import { formatInteger } from '@/lib/format';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { ExampleCards } from './example-cards';
import classes from './home-page.module.css';
import { FailedRun, RecentRun, RunningRun, WaitingRun } from './run-lines';

const text = strings.home;

/** How often the page looks for news: often while something is going on. */
const BUSY_MS = 2_000;
const IDLE_MS = 10_000;
const SHOWN = 6;

const GROUPS = {
  running: ['starting', 'running', 'paused'],
  waiting: ['queued'],
  failed: ['failed'],
  recent: ['succeeded', 'cancelled'],
} as const satisfies Record<string, readonly RunState[]>;

type GroupName = keyof typeof GROUPS;

const LINES: Record<GroupName, (props: { run: RunListItem }) => ReactNode> = {
  running: RunningRun,
  waiting: WaitingRun,
  failed: FailedRun,
  recent: RecentRun,
};

/** What is going on, what waits, and what needs somebody; for newcomers, where to begin. */
export function HomePage() {
  usePageTitle(text.title);
  const facets = useQuery({
    ...runFacetsQuery,
    refetchInterval: ({ state: { data } }) => {
      const { running, waiting } = countsOf(data?.states);
      return running + waiting > 0 ? BUSY_MS : IDLE_MS;
    },
  });
  if (facets.isPending) {
    return (
      <Page>
        <Loading label={text.loading} rows={6} />
      </Page>
    );
  }
  if (facets.data === undefined) {
    return (
      <Page>
        <Failure error={facets.error} onRetry={() => void facets.refetch()} />
      </Page>
    );
  }
  const { states, trashed } = facets.data;
  const counts = countsOf(states);
  const total = Object.values(counts).reduce((sum, count) => sum + count, trashed);
  return <Page>{total === 0 ? <FirstRun /> : <Overview counts={counts} />}</Page>;
}

function Page({ children }: { children: ReactNode }) {
  return (
    <>
      <PageHeader title={text.title} />
      {children}
    </>
  );
}

type Counts = Record<GroupName, number>;

function countsOf(states: readonly { value: string; count: number }[] | undefined): Counts {
  const count = (name: GroupName) =>
    (states ?? [])
      .filter(({ value }) => (GROUPS[name] as readonly string[]).includes(value))
      .reduce((sum, state) => sum + state.count, 0);
  return {
    running: count('running'),
    waiting: count('waiting'),
    failed: count('failed'),
    recent: count('recent'),
  };
}

function Overview({ counts }: { counts: Counts }) {
  return (
    <div className={classes['page']}>
      <div className={classes['groups']}>
        {(Object.keys(GROUPS) as GroupName[]).map((name) => (
          <Group key={name} name={name} counts={counts} />
        ))}
      </div>
      <Card title={text.guideTitle}>
        <ExampleCards />
      </Card>
    </div>
  );
}

function Group({ name, counts }: { name: GroupName; counts: Counts }) {
  const filter: RunFilter = { states: GROUPS[name], pageSize: SHOWN };
  const runs = useQuery({
    ...firstRunsQuery(filter),
    refetchInterval: counts.running + counts.waiting > 0 ? BUSY_MS : IDLE_MS,
  });
  return (
    <Card
      title={text[name]}
      {...(counts[name] > 0 && { text: formatInteger(counts[name]) })}
      aside={
        counts[name] > SHOWN && (
          <TextLink to="/runs" search={{ state: GROUPS[name].join(',') }} size="sm">
            {text.showAll(counts[name])}
          </TextLink>
        )
      }
    >
      <Lines runs={runs} name={name} />
    </Card>
  );
}

interface LinesProps {
  runs: UseQueryResult<{ results: RunListItem[] }>;
  name: GroupName;
}

function Lines({ runs, name }: LinesProps) {
  if (runs.isPending) return <Loading label={text.loading} rows={2} />;
  if (runs.data === undefined) {
    return <Failure error={runs.error} onRetry={() => void runs.refetch()} />;
  }
  const { results } = runs.data;
  if (results.length === 0) return <p className={classes['none']}>{text[`${name}Empty`]}</p>;
  const Line = LINES[name];
  return (
    <ul className={classes['lines']} aria-label={text[name]}>
      {results.map((run) => (
        <li key={run.id} className={classes['line']}>
          <Line run={run} />
        </li>
      ))}
    </ul>
  );
}

/** Where to begin, for somebody who has not run anything yet. */
function FirstRun() {
  return (
    <div className={classes['page']}>
      <Card title={text.guideFirst} text={text.guideText}>
        <ExampleCards />
      </Card>
      <Card title={text.steps.title}>
        <ol className={classes['steps']}>
          <li>{text.steps.launch}</li>
          <li>{text.steps.compare}</li>
          <li>{text.steps.change}</li>
        </ol>
      </Card>
    </div>
  );
}
