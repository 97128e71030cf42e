import { ActionIcon } from '@mantine/core';
import { IconChartLine, IconPlus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { comparisonQuery } from '@/api/runs';
import type { Comparison } from '@/api/types';
import { seriesColor } from '@/components/charts/palette';
import { CopyButton } from '@/components/ui/copy-button';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { ButtonLink, TextLink } from '@/components/ui/links';
import { PageHeader } from '@/components/ui/page-header';
import { StateBadge } from '@/components/ui/state-badge';
import { TabBar } from '@/components/ui/tab-bar';
import { COMPARE_TABS, joinList, splitList, type CompareTab } from '@/lib/url-state';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import classes from './compare-page.module.css';
import { CostPanel } from './cost-panel';
import { CurvesPanel } from './curves-panel';
import { SettingsPanel } from './settings-panel';
import { TablePanel } from './table-panel';

const text = strings.compare;
const route = getRouteApi('/member/compare');
const LIVE_MS = 3_000;

/** Any runs side by side; the whole view is in the address. */
export function ComparePage() {
  const { runs: wanted } = route.useSearch();
  const ids = splitList(wanted);
  usePageTitle(text.title);
  const comparison = useQuery({
    ...comparisonQuery(ids),
    refetchInterval: ({ state: { data } }) =>
      data?.runs.some(({ run }) => !run.is_final) ? LIVE_MS : false,
  });
  return (
    <>
      <PageHeader
        title={text.title}
        actions={
          <>
            {ids.length > 0 && <CopyButton value={window.location.href} label={text.copyLink} />}
            <ButtonLink
              to="/runs"
              size="xs"
              variant="default"
              leftSection={<IconPlus size={14} aria-hidden />}
            >
              {text.add}
            </ButtonLink>
          </>
        }
      />
      {ids.length === 0 && (
        <Empty
          icon={<IconChartLine size={34} stroke={1.4} color="var(--rh-text-dim)" aria-hidden />}
          title={text.emptyTitle}
          text={text.emptyText}
          action={<ButtonLink to="/runs">{text.emptyAction}</ButtonLink>}
        />
      )}
      {ids.length > 0 && comparison.isPending && <Loading label={text.loading} rows={5} />}
      {comparison.isError && (
        <Failure error={comparison.error} onRetry={() => void comparison.refetch()} />
      )}
      {ids.length > 0 && comparison.data && <Compared comparison={comparison.data} />}
    </>
  );
}

function Compared({ comparison }: { comparison: Comparison }) {
  const { tab = 'curves' } = route.useSearch();
  const navigate = route.useNavigate();
  const panels: Record<CompareTab, React.ReactNode> = {
    curves: <CurvesPanel comparison={comparison} />,
    cost: <CostPanel comparison={comparison} />,
    settings: <SettingsPanel comparison={comparison} />,
    table: <TablePanel comparison={comparison} />,
  };
  return (
    <>
      <RunChips comparison={comparison} />
      <TabBar
        label={text.tabsLabel}
        tabs={COMPARE_TABS}
        titles={text.tabs}
        value={tab}
        onChange={(next) => {
          void navigate({ search: (old) => ({ ...old, tab: next }), resetScroll: false });
        }}
      >
        {panels[tab]}
      </TabBar>
    </>
  );
}

/** Which run is which colour, and a way to take it out. */
function RunChips({ comparison }: { comparison: Comparison }) {
  const navigate = route.useNavigate();
  const ids = comparison.runs.map(({ run }) => run.id);
  return (
    <ul className={classes['chips']} aria-label={text.runs}>
      {comparison.runs.map(({ run }, index) => (
        <li key={run.id} className={classes['chip']}>
          <svg width="10" height="10" aria-hidden>
            <circle cx="5" cy="5" r="5" fill={`var(${seriesColor(index)})`} />
          </svg>
          <TextLink
            to="/runs/$runId"
            params={{ runId: run.id }}
            size="sm"
            className={classes['name']}
          >
            {run.name}
          </TextLink>
          <StateBadge state={run.state} />
          <ActionIcon
            size="xs"
            variant="subtle"
            color="gray"
            aria-label={text.remove(run.name)}
            onClick={() => {
              const rest = joinList(ids.filter((id) => id !== run.id));
              void navigate({
                search: ({ runs: _, ...old }) => ({
                  ...old,
                  ...(rest !== undefined && { runs: rest }),
                }),
              });
            }}
          >
            <IconX size={12} aria-hidden />
          </ActionIcon>
        </li>
      ))}
    </ul>
  );
}
