import { Button, CloseButton, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback, useMediaQuery } from '@mantine/hooks';
import { IconPlus, IconSearch, IconTrain } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { runListQuery } from '@/api/runs';
import type { RunListItem, RunState } from '@/api/types';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { PageHeader } from '@/components/ui/page-header';
import { usePageTitle } from '@/lib/use-page-title';
import { ButtonLink } from '@/components/ui/links';
import { strings } from '@/strings';
import classes from './run-list-page.module.css';
import { RunTable } from './run-table';

const text = strings.runList;
const route = getRouteApi('/member/runs');
const STATES = Object.keys(strings.states) as RunState[];

/** How often a list looks for news: often while something is going on, else now and then. */
const BUSY_MS = 2_000;
const IDLE_MS = 15_000;

export function RunListPage() {
  const { state, search } = route.useSearch();
  usePageTitle(text.title);
  const runs = useInfiniteQuery({
    ...runListQuery({ state: STATES.find((known) => known === state), search }),
    refetchInterval: ({ state: { data } }) => {
      const rows = data?.pages.flatMap((page) => page.results) ?? [];
      return rows.some((run) => !run.is_final) ? BUSY_MS : IDLE_MS;
    },
  });
  const rows = runs.data?.pages.flatMap((page) => page.results);

  return (
    <>
      <PageHeader title={text.title} />
      <Filters />
      {runs.isPending && <Loading label={text.loading} rows={7} />}
      {runs.isError && <Failure error={runs.error} onRetry={() => void runs.refetch()} />}
      {rows && (
        <RunRows rows={rows} isFiltered={state !== undefined || search !== undefined}>
          {runs.hasNextPage && (
            <Button
              variant="default"
              loading={runs.isFetchingNextPage}
              onClick={() => void runs.fetchNextPage()}
            >
              {text.loadMore}
            </Button>
          )}
        </RunRows>
      )}
    </>
  );
}

interface RunRowsProps {
  rows: readonly RunListItem[];
  isFiltered: boolean;
  children: React.ReactNode;
}

function RunRows({ rows, isFiltered, children }: RunRowsProps) {
  if (rows.length > 0) {
    return (
      <>
        <RunTable runs={rows} />
        <div className={classes['foot']}>{children}</div>
      </>
    );
  }
  return isFiltered ? (
    <Empty
      icon={<IconSearch size={32} stroke={1.4} color="var(--rh-text-dim)" aria-hidden />}
      title={text.noMatchTitle}
      text={text.noMatchText}
      action={
        <ButtonLink to="/runs" search={{}} variant="default">
          {text.noMatchAction}
        </ButtonLink>
      }
    />
  ) : (
    <Empty
      icon={<IconTrain size={36} stroke={1.4} color="var(--rh-text-dim)" aria-hidden />}
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

/** The filter lives in the address, so that a view can be shared and gone back to. */
function Filters() {
  const { state, search } = route.useSearch();
  const navigate = route.useNavigate();
  const isWide = useMediaQuery('(min-width: 60em)');
  const [draft, setDraft] = useState<string | null>(null);
  const applySearch = useDebouncedCallback((next: string) => {
    setDraft(null);
    void navigate({
      search: (old) => ({ ...(old.state && { state: old.state }), ...(next && { search: next }) }),
      replace: true,
    });
  }, 250);
  const applyState = (next: string | null) => {
    void navigate({
      search: (old) => ({
        ...(old.search && { search: old.search }),
        ...(next && next !== 'all' && { state: next }),
      }),
    });
  };
  const options = [
    { value: 'all', label: text.all },
    ...STATES.map((value) => ({ value, label: strings.states[value] })),
  ];

  return (
    <div className={classes['filters']}>
      <TextInput
        type="search"
        className={classes['search']}
        aria-label={text.search}
        placeholder={text.search}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={draft ?? search ?? ''}
        onChange={(event) => {
          setDraft(event.currentTarget.value);
          applySearch(event.currentTarget.value);
        }}
        rightSection={
          (draft ?? search) && (
            <CloseButton
              size="sm"
              aria-label={text.clearSearch}
              onClick={() => {
                setDraft('');
                applySearch('');
              }}
            />
          )
        }
      />
      {isWide ? (
        <SegmentedControl
          size="sm"
          aria-label={text.filter}
          value={state ?? 'all'}
          onChange={applyState}
          data={options}
        />
      ) : (
        <Select
          className={classes['state']}
          aria-label={text.filter}
          value={state ?? 'all'}
          onChange={applyState}
          data={options}
          allowDeselect={false}
        />
      )}
    </div>
  );
}
