import { Badge, Chip, CloseButton, Group, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useDeferredValue } from 'react';
import { catalogueQuery } from '@/api/spec';
import type { CatalogueEntry } from '@/api/types';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { ButtonLink } from '@/components/ui/links';
import { PageHeader } from '@/components/ui/page-header';
import { humanize } from '@/lib/humanize';
import { readCatalogueSearch, type CatalogueView } from '@/lib/url-state';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import classes from './catalogue-page.module.css';
import { findEntries } from './search';

const text = strings.catalogue;
const route = getRouteApi('/member/catalogue');
const ALL = '';

export function CataloguePage() {
  usePageTitle(text.title);
  const catalogue = useQuery(catalogueQuery);
  return (
    <>
      <PageHeader title={text.title} lead={text.lead} />
      {catalogue.isPending && <Loading label={text.loading} rows={7} />}
      {catalogue.isError && (
        <Failure error={catalogue.error} onRetry={() => void catalogue.refetch()} />
      )}
      {catalogue.data && <Entries catalogue={catalogue.data} />}
    </>
  );
}

/** What people call a part of a run, in the plural. */
export function sectionTitle(section: string): string {
  return text.sections[section] ?? humanize(section);
}

/** The parts of a run that entries are of; those that people look for most come first. */
function sectionsOf(entries: readonly CatalogueEntry[]): string[] {
  const found = new Set(entries.map(({ section }) => section));
  const usual = Object.keys(text.sections).filter((section) => found.has(section));
  return [...usual, ...[...found].filter((section) => !usual.includes(section))];
}

function Entries({ catalogue }: { catalogue: readonly CatalogueEntry[] }) {
  const view = route.useSearch();
  // What is typed is shown at once; the list follows when there is time.
  const found = findEntries(catalogue, useDeferredValue(view));
  const sections = sectionsOf(found);
  return (
    <>
      <Filters catalogue={catalogue} view={view} />
      <p className={classes['count']} role="status">
        {text.found(found.length)}
      </p>
      {found.length === 0 && (
        <Empty
          icon={<IconSearch size={34} stroke={1.4} color="var(--rh-text-dim)" aria-hidden />}
          title={text.noMatchTitle}
          text={text.noMatchText}
          action={
            <ButtonLink to="/catalogue" search={{}} variant="default">
              {text.showAll}
            </ButtonLink>
          }
        />
      )}
      {sections.map((section) => (
        <section key={section} className={classes['section']} aria-label={sectionTitle(section)}>
          <h2 className={classes['sectionTitle']}>{sectionTitle(section)}</h2>
          <ul className={classes['entries']}>
            {found
              .filter((entry) => entry.section === section)
              .map((entry) => (
                <EntryCard key={entry.kind} entry={entry} />
              ))}
          </ul>
        </section>
      ))}
    </>
  );
}

interface FiltersProps {
  catalogue: readonly CatalogueEntry[];
  view: CatalogueView;
}

function Filters({ catalogue, view }: FiltersProps) {
  const navigate = route.useNavigate();
  const change = (changes: { [K in keyof CatalogueView]?: string | undefined }) => {
    void navigate({
      search: (old) => readCatalogueSearch({ ...old, ...changes }),
      replace: true,
      resetScroll: false,
    });
  };
  return (
    <search className={classes['filters']}>
      <TextInput
        type="search"
        className={classes['search'] ?? ''}
        aria-label={text.search}
        placeholder={text.search}
        leftSection={<IconSearch size={15} aria-hidden />}
        value={view.search ?? ''}
        onChange={(event) => {
          change({ search: event.currentTarget.value });
        }}
        rightSection={
          view.search !== undefined && (
            <CloseButton
              size="sm"
              aria-label={text.clearSearch}
              onClick={() => {
                change({ search: undefined });
              }}
            />
          )
        }
      />
      <Chip.Group
        value={view.section ?? ALL}
        onChange={(section) => {
          change({ section: section === ALL ? undefined : section });
        }}
      >
        <Group gap={6} role="radiogroup" aria-label={text.section}>
          <Chip size="xs" value={ALL}>
            {text.allSections}
          </Chip>
          {sectionsOf(catalogue).map((section) => (
            <Chip key={section} size="xs" value={section}>
              {sectionTitle(section)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </search>
  );
}

function EntryCard({ entry }: { entry: CatalogueEntry }) {
  return (
    <li className={classes['entry']}>
      <div className={classes['entryHead']}>
        {/* Stretched over the card by the style sheet. */}
        <Link
          to="/catalogue/$section/$kind"
          params={{ section: entry.section, kind: entry.kind }}
          className={classes['entryTitle']}
        >
          {entry.title}
        </Link>
        <Badge variant="default" tt="none" fw={500} className={classes['kind'] ?? ''}>
          {entry.kind}
        </Badge>
      </div>
      <p className={classes['summary']}>{entry.summary}</p>
      {entry.paper !== null && <p className={classes['paper']}>{entry.paper}</p>}
    </li>
  );
}
