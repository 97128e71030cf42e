import { Select } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import type { Comparison } from '@/api/types';
import { metricTitle } from '@/components/charts/metric-axes';
import { settingTitle } from '@/lib/setting-text';
import { readCompareSearch } from '@/lib/url-state';
import { strings } from '@/strings';
import { metricsOf } from './groups';

const text = strings.compare;
const route = getRouteApi('/member/compare');

/** The metric and the grouping that an address asks for, where they exist. */
export function useChosenView(comparison: Comparison) {
  const { metric, group } = route.useSearch();
  const metrics = metricsOf(comparison);
  return {
    metrics,
    metric: metrics.find((known) => known === metric) ?? metrics[0] ?? 'accuracy',
    group: comparison.differences.find(({ path }) => path === group)?.path,
  };
}

export function MetricSelect({ comparison }: { comparison: Comparison }) {
  const navigate = route.useNavigate();
  const { metric, metrics } = useChosenView(comparison);
  return (
    <Select
      size="xs"
      label={text.metric}
      data={metrics.map((value) => ({ value, label: metricTitle(value) }))}
      value={metric}
      allowDeselect={false}
      onChange={(next) => {
        if (next === null) return;
        void navigate({
          search: (old) => ({ ...old, metric: next }),
          replace: true,
          resetScroll: false,
        });
      }}
    />
  );
}

export function GroupSelect({ comparison }: { comparison: Comparison }) {
  const navigate = route.useNavigate();
  const { group } = useChosenView(comparison);
  return (
    <Select
      size="xs"
      label={text.group}
      placeholder={text.noGroup}
      data={comparison.differences.map(({ path }) => ({ value: path, label: settingTitle(path) }))}
      value={group ?? null}
      clearable
      onChange={(next) => {
        void navigate({
          search: (old) => readCompareSearch({ ...old, group: next }),
          replace: true,
          resetScroll: false,
        });
      }}
    />
  );
}
