import { ActionIcon, Drawer } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChartLine, IconListDetails, IconMenu2, IconPlus } from '@tabler/icons-react';
import { Link, Outlet } from '@tanstack/react-router';
import { Logo } from '@/components/ui/logo';
import { ButtonLink } from '@/components/ui/links';
import { strings } from '@/strings';
import { AccountMenu } from './account-menu';
import classes from './layout.module.css';

/** The frame around every screen: a side bar, or a top bar where there is no room for one. */
export function AppLayout() {
  const [isOpen, menu] = useDisclosure(false);
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
        <ButtonLink to="/new" size="xs" leftSection={<IconPlus size={14} aria-hidden />}>
          {strings.app.newRun}
        </ButtonLink>
      </header>
      <div className={classes['sidebar']}>
        <Sidebar />
      </div>
      <Drawer
        opened={isOpen}
        onClose={menu.close}
        size={280}
        title={<Brand />}
        padding="md"
        classNames={{ content: classes['drawer'] ?? '', body: classes['drawerBody'] ?? '' }}
      >
        <Sidebar onNavigate={menu.close} />
      </Drawer>
      <main id="content" className={classes['content']} tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}

function Brand() {
  return (
    <Link to="/runs" className={classes['brand']}>
      <Logo size={26} />
      <span>{strings.app.name}</span>
    </Link>
  );
}

function Sidebar({ onNavigate }: { onNavigate?: () => void }) {
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
      <nav aria-label={strings.app.navigation} className={classes['nav']}>
        <Link to="/runs" className={classes['link']} onClick={onNavigate}>
          <IconListDetails size={18} stroke={1.7} aria-hidden />
          {strings.app.runs}
        </Link>
        <Link to="/compare" className={classes['link']} onClick={onNavigate}>
          <IconChartLine size={18} stroke={1.7} aria-hidden />
          {strings.app.compare}
        </Link>
      </nav>
      <AccountMenu />
    </div>
  );
}
