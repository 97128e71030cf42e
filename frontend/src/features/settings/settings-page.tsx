import { Stack, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { meQuery } from '@/api/session';
import { PageHeader } from '@/components/ui/page-header';
import { readSettingsSearch, SETTINGS_TABS, type SettingsTab } from '@/lib/url-state';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { AccountPanel } from './account-panel';
import { AppearancePanel } from './appearance-panel';
import { FactorsPanel } from './factors-panel';
import { PeoplePanel } from './people-panel';
import { ProjectsPanel } from './projects-panel';
import { SessionsPanel } from './sessions-panel';
import { TokensPanel } from './tokens-panel';

const text = strings.access.settings;
const route = getRouteApi('/member/settings');

const PANELS: Record<SettingsTab, () => ReactNode> = {
  account: AccountPanel,
  security: FactorsPanel,
  sessions: SessionsPanel,
  tokens: () => <TokensPanel />,
  projects: ProjectsPanel,
  appearance: AppearancePanel,
  people: PeoplePanel,
};

/** What concerns the person who is signed in; and, for who runs the installation, all people. */
export function SettingsPage() {
  const { tab = 'account' } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: me } = useQuery(meQuery);
  usePageTitle(text.title);
  const tabs = SETTINGS_TABS.filter((name) => name !== 'people' || me?.user.is_superuser);
  return (
    <>
      <PageHeader title={text.title} />
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(chosen) => {
          void navigate({ search: readSettingsSearch({ tab: chosen }) });
        }}
      >
        <Tabs.List mb="md">
          {tabs.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {text.tabs[name]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map((name) => {
          const Panel = PANELS[name];
          return (
            <Tabs.Panel key={name} value={name}>
              <Stack gap="md" maw={760}>
                <Panel />
              </Stack>
            </Tabs.Panel>
          );
        })}
      </Tabs>
    </>
  );
}
