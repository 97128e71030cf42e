import { Tabs } from '@mantine/core';
import type { ReactNode } from 'react';

interface TabBarProps<T extends string> {
  label: string;
  tabs: readonly T[];
  titles: Readonly<Record<T, string>>;
  value: T;
  onChange: (tab: T) => void;
  /** The panel of the chosen tab. */
  children: ReactNode;
}

/** Tabs above the one panel that is shown. */
export function TabBar<T extends string>(props: TabBarProps<T>) {
  const { label, tabs, titles, value, onChange, children } = props;
  return (
    <Tabs
      value={value}
      keepMounted={false}
      onChange={(next) => {
        const known = tabs.find((tab) => tab === next);
        if (known !== undefined) onChange(known);
      }}
    >
      <Tabs.List mb="md" aria-label={label}>
        {tabs.map((tab) => (
          <Tabs.Tab key={tab} value={tab}>
            {titles[tab]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value={value}>{children}</Tabs.Panel>
    </Tabs>
  );
}
