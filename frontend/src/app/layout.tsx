import { ActionIcon, Drawer, Kbd, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconMenu2, IconPlus, IconSearch } from '@tabler/icons-react';
import { Link, Outlet, useMatchRoute } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { Logo } from '@/components/ui/logo';
import { ButtonLink } from '@/components/ui/links';
import { strings } from '@/strings';
import { AccountMenu } from './account-menu';
import classes from './layout.module.css';
import { ReachBanner } from './reach-banner';
import { SCREENS } from './screens';
import { ShortcutHelp } from './shortcut-help';
import { useShortcuts } from './use-shortcuts';

const CommandPalette = lazy(async () => ({
  default: (await import('./command-palette')).CommandPalette,
}));

/** The frame around every screen: a side bar, or a top bar where there is no room for one. */
export function AppLayout() {
  const [isOpen, menu] = useDisclosure(false);
  const [isHelpOpen, help] = useDisclosure(false);
  /** How often the palette was asked for; it is loaded the first time. */
  const [openings, setOpenings] = useState(0);
  const openPalette = () => {
    menu.close();
    setOpenings((count) => count + 1);
  };
  useShortcuts({ openPalette, openHelp: help.open });
  // The page of a run has a connection of its own, and says itself how that is.
  const isOnRun = useMatchRoute()({ to: '/runs/$runId' }) !== false;
  return (
    <div className={classes['shell']}>
      <a className={classes['skip']} href="#content">
        {strings.app.skip}
      </a>
      <header className={classes['topbar']}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={strings.app.openMenu}
          onClick={menu.open}
        >
          <IconMenu2 size={20} aria-hidden />
        </ActionIcon>
        <Brand />
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={strings.palette.open}
          onClick={openPalette}
        >
          <IconSearch size={18} aria-hidden />
        </ActionIcon>
        <ButtonLink to="/new" size="xs" leftSection={<IconPlus size={14} aria-hidden />}>
          {strings.app.newRun}
        </ButtonLink>
      </header>
      <aside className={classes['sidebar']} aria-label={strings.app.sidebar}>
        <Sidebar onSearch={openPalette} />
      </aside>
      <Drawer
        opened={isOpen}
        onClose={menu.close}
        size={280}
        title={<Brand />}
        padding="md"
        classNames={{ content: classes['drawer'] ?? '', body: classes['drawerBody'] ?? '' }}
      >
        <Sidebar onSearch={openPalette} onNavigate={menu.close} />
      </Drawer>
      <main id="content" className={classes['content']} tabIndex={-1}>
        {!isOnRun && <ReachBanner />}
        <Outlet />
      </main>
      {openings > 0 && (
        <Suspense fallback={null}>
          <CommandPalette openings={openings} onShowShortcuts={help.open} />
        </Suspense>
      )}
      <ShortcutHelp isOpen={isHelpOpen} onClose={help.close} />
    </div>
  );
}

function Brand() {
  return (
    <Link to="/" className={classes['brand']}>
      <Logo size={26} />
      <span>{strings.app.name}</span>
    </Link>
  );
}

interface SidebarProps {
  onSearch: () => void;
  onNavigate?: () => void;
}

function Sidebar({ onSearch, onNavigate }: SidebarProps) {
  return (
    <div className={classes['sidebarInner']}>
      {onNavigate === undefined && <Brand />}
      <ButtonLink
        to="/new"
        onClick={onNavigate}
        fullWidth
        size="sm"
        leftSection={<IconPlus size={16} aria-hidden />}
      >
        {strings.app.newRun}
      </ButtonLink>
      <UnstyledButton className={classes['jump'] ?? ''} onClick={onSearch}>
        <IconSearch size={15} aria-hidden />
        <span className={classes['jumpText']}>{strings.palette.open}</span>
        <Kbd size="xs" aria-hidden>
          {strings.shortcuts.keys.mod} K
        </Kbd>
      </UnstyledButton>
      <nav aria-label={strings.app.navigation} className={classes['nav']}>
        {SCREENS.map(({ to, title, Icon }) => (
          <Link
            key={to}
            to={to}
            activeOptions={{ exact: to === '/' }}
            className={classes['link']}
            onClick={onNavigate}
          >
            <Icon size={18} stroke={1.7} aria-hidden />
            {title}
          </Link>
        ))}
      </nav>
      <AccountMenu />
    </div>
  );
}
