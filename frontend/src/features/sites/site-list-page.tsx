import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus, IconServer2 } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { meQuery } from '@/api/session';
import { siteListQuery } from '@/api/sites';
import type { MyProject, Site } from '@/api/types';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { TextLink } from '@/components/ui/links';
import { PageHeader } from '@/components/ui/page-header';
import { formatAge, formatBytes, formatDateTime } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { InviteDialog } from './invite-dialog';
import { SiteBadge } from '@/components/ui/site-badge';
import classes from '@/components/ui/line-list.module.css';

const text = strings.sites;
const LIVE_MS = 5_000;

/** All machines that take part from afar, and whether they are there. */
export function SiteListPage() {
  usePageTitle(text.title);
  const sites = useInfiniteQuery({ ...siteListQuery, refetchInterval: LIVE_MS });
  const { data: me } = useQuery(meQuery);
  const [isInviting, dialog] = useDisclosure(false);
  const managed = managedOf(me?.projects);
  const rows = sites.data?.pages.flatMap((page) => page.results);
  const invite = managed.length > 0 && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={dialog.open}>
      {strings.siteInvite.open}
    </Button>
  );
  return (
    <>
      <PageHeader title={text.title} lead={text.lead} actions={rows?.length !== 0 && invite} />
      {sites.isPending && <Loading label={text.loading} rows={5} />}
      {sites.isError && rows === undefined && (
        <Failure error={sites.error} onRetry={() => void sites.refetch()} />
      )}
      {rows && <Lines rows={rows} invite={invite} />}
      {sites.hasNextPage && (
        <More isLoading={sites.isFetchingNextPage} onClick={() => void sites.fetchNextPage()} />
      )}
      {isInviting && <InviteDialog projects={managed} onClose={dialog.close} />}
    </>
  );
}

function managedOf(projects: readonly MyProject[] = []): readonly MyProject[] {
  return projects.filter((project) => project.role === 'admin');
}

function More({ isLoading, onClick }: { isLoading: boolean; onClick: () => void }) {
  return (
    <Button variant="default" mt="md" loading={isLoading} onClick={onClick}>
      {text.loadMore}
    </Button>
  );
}

function Lines({ rows, invite }: { rows: readonly Site[]; invite: ReactNode }) {
  if (rows.length === 0) {
    return (
      <Empty
        icon={<IconServer2 size={34} stroke={1.4} color="var(--rh-text-dim)" aria-hidden />}
        title={text.emptyTitle}
        text={invite ? text.emptyText : `${text.emptyText} ${text.emptyAsk}`}
        action={invite}
      />
    );
  }
  return (
    <ul className={classes['list']} aria-label={text.list}>
      {rows.map((site) => (
        <Line key={site.id} site={site} />
      ))}
    </ul>
  );
}

function Line({ site }: { site: Site }) {
  const now = useNow();
  const { hardware, last_seen_at: seen } = site;
  return (
    <li className={classes['line']}>
      <div className={classes['part']}>
        <TextLink to="/sites/$siteId" params={{ siteId: site.id }} className={classes['name']}>
          {site.name}
        </TextLink>
        <span className={classes['dim']}>{text.inProject(site.project_name)}</span>
      </div>
      <div>
        <SiteBadge state={site.state} presence={site.presence} />
      </div>
      <div className={classes['part']}>
        <span>{text.datasets(site.datasets.length)}</span>
        {site.problems.length > 0 && (
          <span className={classes['warn']}>{text.problems(site.problems.length)}</span>
        )}
        {site.waiting_tasks.length > 0 && <span className={classes['warn']}>{text.waits}</span>}
      </div>
      <div className={classes['part']}>
        {hardware && (
          <span>
            {`${String(hardware.cores)} × CPU, ${formatBytes(hardware.memory_bytes)}`}
            {hardware.gpus.length > 0 && `, ${String(hardware.gpus.length)} × GPU`}
          </span>
        )}
        {seen !== null && (
          <time className={classes['dim']} dateTime={seen} title={formatDateTime(seen)}>
            {text.heard(formatAge(seen, now))}
          </time>
        )}
      </div>
    </li>
  );
}
