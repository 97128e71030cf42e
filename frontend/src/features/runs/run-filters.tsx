import { Button, CloseButton, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch, IconStar, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { kindText } from '@/api/kind-texts';
import { runFacetsQuery } from '@/api/runs';
import { catalogueQuery } from '@/api/spec';
import type { RunState } from '@/api/types';
import { FilterPopover } from '@/components/ui/filter-popover';
import { joinList, readRunListSearch, splitList, type RunListView } from '@/lib/url-state';
import { strings } from '@/strings';
import { ColumnsPopover } from './columns-popover';
import classes from './run-list-page.module.css';
import { SavedViews } from './saved-views';

const text = strings.runList;
const route = getRouteApi('/member/runs');
const LIST_PATH = '/runs';

/** Every filter lives in the address, so that a view can be shared and gone back to. */
export function RunFilters() {
  const view = route.useSearch();
  const navigate = route.useNavigate();
  const { history } = useRouter();
  const { data: facets } = useQuery(runFacetsQuery);
  const { data: catalogue } = useQuery(catalogueQuery);
  const change = (changes: { [K in keyof RunListView]?: RunListView[K] | undefined }) => {
    void navigate({ search: (old) => readRunListSearch({ ...old, ...changes }), replace: true });
  };
  const titled = (section: string, found: readonly { value: string; count: number }[] = []) =>
    found.map(({ value, count }) => ({
      value,
      count,
      label: kindText(catalogue, section, value).title,
    }));
  const states = new Map(facets?.states.map(({ value, count }) => [value, count]));

  return (
    <search className={classes['filters']}>
      <SearchInput
        value={view.search}
        onChange={(search) => {
          // The list stays until the next screen is loaded, and must not call its reader back.
          if (history.location.pathname === LIST_PATH) change({ search });
        }}
      />
      <FilterPopover
        label={text.filters.state}
        options={(Object.keys(strings.states) as RunState[]).map((value) => ({
          value,
          label: strings.states[value],
          count: states.get(value) ?? 0,
        }))}
        value={splitList(view.state)}
        onChange={(state) => {
          change({ state: joinList(state) });
        }}
      />
      <FilterPopover
        label={text.filters.method}
        options={titled('algorithm', facets?.methods)}
        value={splitList(view.method)}
        onChange={(method) => {
          change({ method: joinList(method) });
        }}
      />
      <FilterPopover
        label={text.filters.dataset}
        options={titled('dataset', facets?.datasets)}
        value={splitList(view.dataset)}
        onChange={(dataset) => {
          change({ dataset: joinList(dataset) });
        }}
      />
      <FilterPopover
        label={text.filters.tag}
        options={(facets?.tags ?? []).map((tag) => ({ ...tag, label: tag.value }))}
        value={splitList(view.tag)}
        onChange={(tag) => {
          change({ tag: joinList(tag) });
        }}
      />
      <Button
        size="xs"
        variant={view.starred ? 'light' : 'default'}
        aria-pressed={view.starred ?? false}
        leftSection={<IconStar size={14} aria-hidden />}
        onClick={() => {
          change({ starred: view.starred ? undefined : true });
        }}
      >
        {text.filters.starred}
      </Button>
      <Button
        size="xs"
        variant={view.trash ? 'light' : 'default'}
        aria-pressed={view.trash ?? false}
        leftSection={<IconTrash size={14} aria-hidden />}
        onClick={() => {
          change({ trash: view.trash ? undefined : true });
        }}
      >
        {text.filters.trash}
      </Button>
      <span className={classes['right']}>
        <SavedViews />
        <ColumnsPopover view={view} onChange={change} />
      </span>
    </search>
  );
}

interface SearchInputProps {
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

function SearchInput({ value, onChange }: SearchInputProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const apply = useDebouncedCallback((next: string) => {
    setDraft(null);
    onChange(next === '' ? undefined : next);
  }, 250);
  const shown = draft ?? value ?? '';
  const write = (next: string) => {
    setDraft(next);
    apply(next);
  };
  return (
    <TextInput
      type="search"
      size="xs"
      className={classes['search'] ?? ''}
      aria-label={text.search}
      placeholder={text.searchHint}
      leftSection={<IconSearch size={15} aria-hidden />}
      value={shown}
      onChange={(event) => {
        write(event.currentTarget.value);
      }}
      rightSection={
        shown !== '' && (
          <CloseButton
            size="xs"
            aria-label={text.clearSearch}
            onClick={() => {
              write('');
            }}
          />
        )
      }
    />
  );
}
