import { Alert } from '@mantine/core';
import { IconAlertTriangle, IconHandStop } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { siteQuery } from '@/api/sites';
import type { Site } from '@/api/types';
import { Card } from '@/components/ui/card';
import { Facts } from '@/components/ui/facts';
import { Failure, Loading } from '@/components/ui/feedback';
import { PageHeader } from '@/components/ui/page-header';
import { formatAge, formatBytes, formatDateTime, formatInteger } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { SiteActions } from './site-actions';
import { SiteBadge } from '@/components/ui/site-badge';
import { DatasetsCard } from './site-datasets';
import { HistoryCard, WorkCard } from './site-work';
import classes from './site-page.module.css';

const text = strings.site;
const route = getRouteApi('/member/sites/$siteId');
const LIVE_MS = 5_000;

/** One machine: who it is, what it offers and allows, and what it was asked. */
export function SitePage() {
  const { siteId } = route.useParams();
  const site = useQuery({ ...siteQuery(siteId), refetchInterval: LIVE_MS });
  usePageTitle(site.data?.name ?? text.loading);
  if (site.isPending) return <Loading label={text.loading} rows={6} />;
  if (site.data === undefined) {
    return <Failure error={site.error} onRetry={() => void site.refetch()} />;
  }
  return (
    <article aria-label={site.data.name} className={classes['page']}>
      <PageHeader
        title={site.data.name}
        aside={<SiteBadge state={site.data.state} presence={site.data.presence} />}
        lead={`${strings.sites.inProject(site.data.project_name)} · ${text.invitedBy(site.data.created_by)}`}
        actions={<SiteActions site={site.data} />}
      />
      <Notices site={site.data} />
      <div className={classes['pair']}>
        <IdentityCard site={site.data} />
        <MachineCard site={site.data} />
      </div>
      <DatasetsCard site={site.data} />
      <PolicyCard site={site.data} />
      <WorkCard siteId={siteId} />
      <HistoryCard siteId={siteId} />
    </article>
  );
}

function Notices({ site }: { site: Site }) {
  return (
    <>
      {site.waiting_tasks.length > 0 && (
        <Alert
          color="yellow"
          variant="light"
          icon={<IconHandStop size={18} aria-hidden />}
          title={strings.sites.waits}
        >
          {text.waiting}
        </Alert>
      )}
      {site.problems.length > 0 && (
        <Alert
          color="yellow"
          variant="light"
          icon={<IconAlertTriangle size={18} aria-hidden />}
          title={text.problems}
        >
          {site.problems.map((problem) => (
            <div key={problem}>{problem}</div>
          ))}
        </Alert>
      )}
    </>
  );
}

function IdentityCard({ site }: { site: Site }) {
  const now = useNow();
  const moments = [
    [text.codeUntil, site.state === 'invited' ? site.code_expires_at : null],
    [text.enrolled, site.enrolled_at],
    [text.approved, site.approved_at],
    [text.revoked, site.revoked_at],
  ] as const;
  return (
    <Card title={text.identity}>
      <Facts
        facts={[
          {
            name: text.fingerprint,
            value:
              site.fingerprint === '' ? (
                text.none
              ) : (
                <span className={classes['mono']}>{site.fingerprint}</span>
              ),
          },
          ...moments.flatMap(([name, at]) => (at ? [{ name, value: formatDateTime(at) }] : [])),
          {
            name: text.seen,
            value: site.last_seen_at === null ? text.never : formatAge(site.last_seen_at, now),
          },
          ...(site.last_address === null ? [] : [{ name: text.address, value: site.last_address }]),
        ]}
      />
    </Card>
  );
}

function MachineCard({ site }: { site: Site }) {
  const { hardware, agent } = site;
  if (hardware === null) {
    return (
      <Card title={text.machine}>
        <p className={classes['none']}>{text.noMachine}</p>
      </Card>
    );
  }
  const versions = [`Roundhouse ${agent?.version ?? ''}`, `Python ${agent?.python ?? ''}`];
  if (agent?.torch) versions.push(`PyTorch ${agent.torch}`);
  return (
    <Card title={text.machine}>
      <Facts
        facts={[
          { name: text.cores, value: formatInteger(hardware.cores) },
          { name: text.memory, value: formatBytes(hardware.memory_bytes) },
          { name: text.disk, value: formatBytes(hardware.disk_free_bytes) },
          {
            name: text.gpus,
            value: hardware.gpus.length === 0 ? text.noGpu : hardware.gpus.join(', '),
          },
          ...(hardware.system === '' ? [] : [{ name: text.system, value: hardware.system }]),
          { name: text.versions, value: versions.join(', ') },
        ]}
      />
    </Card>
  );
}

function PolicyCard({ site }: { site: Site }) {
  const { policy } = site;
  if (policy === null) {
    return (
      <Card title={text.policy}>
        <p className={classes['none']}>{text.noPolicy}</p>
      </Card>
    );
  }
  return (
    <Card title={text.policy} text={text.policyText}>
      {policy.rules.length === 0 ? (
        <p className={classes['none']}>{text.allows}</p>
      ) : (
        <Facts facts={policy.rules.map(({ name, sentence }) => ({ name, value: sentence }))} />
      )}
    </Card>
  );
}
