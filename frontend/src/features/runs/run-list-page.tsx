import { Button } from '@mantine/core';
import { IconPlus, IconSearch, IconTrain, IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { runListQuery, type RunFilter } from '@/api/runs';
import type { RunOrdering, RunState } from '@/api/types';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { ButtonLink } from '@/components/ui/links';
import { PageHeader } from '@/components/ui/page-header';
import { readRunListSearch, splitList, type RunListView } from '@/lib/url-state';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { BulkBar } from './bulk-bar';
import { RunFilters } from './run-filters';
import classes from './run-list-page.module.css';
import { RunTable } from './run-table';

const text = strings.runList;
const route = getRouteApi('/member/runs');
const STATES = Object.keys(strings.states) as RunState[];

/** How often a list looks for news: often while something is going on, else now and then. */
const BUSY_MS = 2_000;
const IDLE_MS = 15_000;

function filterOf(view: RunListView): RunFilter {
  const states = splitList(view.state);
  return {
    search: view.search,
    states: STATES.filter((known) => states.includes(known)),
    methods: splitList(view.method),
    datasets: splitList(view.dataset),
    tags: splitList(view.tag),
    starred: view.starred ?? false,
    trash: view.trash ?? false,
    // The server knows its orders, and says so when an address has another.
    ordering: view.sort as RunOrdering | undefined,
  };
}

export function RunListPage() {
  const view = route.useSearch();
  const navigate = route.useNavigate();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  usePageTitle(text.title);
  const runs = useInfiniteQuery({
    ...runListQuery(filterOf(view)),
    refetchInterval: ({ state: { data } }) => {
      const rows = data?.pages.flatMap((page) => page.results) ?? [];
      return rows.some((run) => !run.is_final) ? BUSY_MS : IDLE_MS;
    },
  });
  const rows = runs.data?.pages.flatMap((page) => page.results);
  const chosen = rows?.filter((run) => selected.has(run.id)) ?? [];

  return (
    <>
      <PageHeader title={text.title} />
      <RunFilters />
      <BulkBar
        runs={chosen}
        isTrash={view.trash ?? false}
        onClear={() => {
          setSelected(new Set());
        }}
      />
      {runs.isPending && <Loading label={text.loading} rows={7} />}
      {runs.isError && <Failure error={runs.error} onRetry={() => void runs.refetch()} />}
      {rows?.length === 0 && <NoRuns view={view} />}
      {rows && rows.length > 0 && (
        <>
          <RunTable
            runs={rows}
            columns={view.columns}
            sort={view.sort}
            onSort={(sort) => {
              void navigate({
                search: (old) => readRunListSearch({ ...old, sort }),
                replace: true,
                resetScroll: false,
              });
            }}
            selected={new Set(chosen.map((run) => run.id))}
            onSelect={setSelected}
          />
          <LoadMore query={runs} />
        </>
      )}
    </>
  );
}

interface LoadMoreProps {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}

function LoadMore({ query }: LoadMoreProps) {
  if (!query.hasNextPage) return null;
  return (
    <div className={classes['foot']}>
      <Button
        variant="default"
        loading={query.isFetchingNextPage}
        onClick={() => {
          query.fetchNextPage();
        }}
      >
        {text.loadMore}
      </Button>
    </div>
  );
}

const ICON = { size: 34, stroke: 1.4, color: 'var(--rh-text-dim)', 'aria-hidden': true } as const;

function NoRuns({ view }: { view: RunListView }) {
  const { sort: _, columns: __, trash, ...filters } = view;
  const isFiltered = Object.keys(filters).length > 0;
  const showAll = (
    <ButtonLink to="/runs" search={{}} variant="default">
      {text.noMatchAction}
    </ButtonLink>
  );
  if (isFiltered) {
    return (
      <Empty
        icon={<IconSearch {...ICON} />}
        title={text.noMatchTitle}
        text={text.noMatchText}
        action={showAll}
      />
    );
  }
  if (trash) {
    return (
      <Empty
        icon={<IconTrash {...ICON} />}
        title={text.trashEmptyTitle}
        text={text.trashEmptyText}
        action={showAll}
      />
    );
  }
  return (
    <Empty
      icon={<IconTrain {...ICON} />}
      title={text.emptyTitle}
      text={text.emptyText}
      action={
        <ButtonLink to="/new" leftSection={<IconPlus size={16} aria-hidden />}>
          {text.emptyAction}
        </ButtonLink>
      }
    />
  );
}
