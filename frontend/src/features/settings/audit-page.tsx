import { Button, Group, TextInput } from '@mantine/core';
import { IconDownload, IconHistory } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState, type SubmitEvent } from 'react';
import { auditFile, auditQuery } from '@/api/access';
import type { AuditEntry } from '@/api/types';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { PageHeader } from '@/components/ui/page-header';
import { ScrollRegion } from '@/components/ui/scroll-region';
import { formatDateTime } from '@/lib/format';
import { readAuditSearch, type AuditView } from '@/lib/url-state';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import classes from './audit-page.module.css';

const text = strings.access.audit;
const route = getRouteApi('/member/audit');

/** Who changed what: filtered by the address, exported as it is shown. */
export function AuditPage() {
  const view = route.useSearch();
  const entries = useInfiniteQuery(auditQuery(view));
  usePageTitle(text.title);
  const rows = entries.data?.pages.flatMap((page) => page.results);
  return (
    <>
      <PageHeader
        title={text.title}
        lead={text.lead}
        actions={(['csv', 'jsonl'] as const).map((kind) => (
          <Button
            key={kind}
            component="a"
            href={auditFile(view, kind)}
            download
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} aria-hidden />}
          >
            {kind === 'csv' ? text.csv : text.json}
          </Button>
        ))}
      />
      <Filters key={JSON.stringify(view)} view={view} />
      {entries.isPending && <Loading label={text.loading} rows={7} />}
      {entries.isError && <Failure error={entries.error} onRetry={() => void entries.refetch()} />}
      {rows?.length === 0 && (
        <Empty
          icon={<IconHistory size={36} aria-hidden color="var(--rh-text-dim)" />}
          title={text.none}
          text={text.noneText}
        />
      )}
      {rows && rows.length > 0 && <EntryTable rows={rows} />}
      {entries.hasNextPage && (
        <Button
          mt="md"
          variant="default"
          loading={entries.isFetchingNextPage}
          onClick={() => void entries.fetchNextPage()}
        >
          {text.more}
        </Button>
      )}
    </>
  );
}

function Filters({ view }: { view: AuditView }) {
  const navigate = route.useNavigate();
  const [wanted, setWanted] = useState(view);
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    void navigate({ search: readAuditSearch({ ...wanted }) });
  }
  const fields = [
    ['actor', text.actor, ''],
    ['action', text.action, text.actionHint],
    ['object', text.object, ''],
  ] as const;
  return (
    <form onSubmit={submit} aria-label={text.title} role="search">
      <Group gap="sm" align="flex-end" mb="md">
        {fields.map(([name, label, placeholder]) => (
          <TextInput
            key={name}
            size="xs"
            label={label}
            placeholder={placeholder}
            value={wanted[name] ?? ''}
            onChange={(event) => {
              setWanted({ ...wanted, [name]: event.currentTarget.value });
            }}
          />
        ))}
        <Button type="submit" size="xs" variant="default">
          {text.filter}
        </Button>
      </Group>
    </form>
  );
}

function EntryTable({ rows }: { rows: readonly AuditEntry[] }) {
  return (
    <ScrollRegion label={text.title}>
      <table className={classes['table']}>
        <thead>
          <tr>
            <th scope="col">{text.when}</th>
            <th scope="col">{text.actor}</th>
            <th scope="col">{text.action}</th>
            <th scope="col">{text.on}</th>
            <th scope="col">{text.change}</th>
            <th scope="col">{text.from}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((entry) => (
            <tr key={entry.id}>
              <td className={classes['nowrap']}>{formatDateTime(entry.at)}</td>
              <td>
                {entry.actor_name === '' ? text.nobody : entry.actor_name}
                <div className={classes['dim']}>{entry.credential}</div>
              </td>
              <td className={classes['nowrap']}>{entry.action}</td>
              <td title={entry.object_id}>{entry.object_name}</td>
              <td className={classes['change']}>
                <Change before={entry.before} after={entry.after} />
              </td>
              <td className={classes['nowrap']}>{entry.address}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function Change({ before, after }: { before: unknown; after: unknown }) {
  const was = asRecord(before);
  const is = asRecord(after);
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return names.map((name) => (
    <div key={name}>
      {name}:{' '}
      {[was[name], is[name]]
        .filter((value) => value !== undefined)
        .map(show)
        .join(' → ')}
    </div>
  ));
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
