import { Menu, UnstyledButton, VisuallyHidden } from '@mantine/core';
import {
  IconApi,
  IconHistory,
  IconLogout,
  IconSelector,
  IconSettings,
  IconShield,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { meQuery } from '@/api/session';
import { ColorSchemeToggle } from '@/components/ui/color-scheme-toggle';
import { strings } from '@/strings';
import classes from './account-menu.module.css';
import { useSignOut } from './use-sign-out';

/** Who is signed in, in which project, and what concerns only this person. */
export function AccountMenu() {
  const { data: me } = useQuery(meQuery);
  const signOut = useSignOut();
  if (me === undefined) return null;
  const project = me.projects[0];
  return (
    <Menu position="top-start" width={232} shadow="md">
      <Menu.Target>
        <UnstyledButton className={classes['account']}>
          <span className={classes['avatar']} aria-hidden>
            {me.user.username.charAt(0).toUpperCase()}
          </span>
          <span className={classes['names']}>
            <VisuallyHidden>{`${strings.app.account}: `}</VisuallyHidden>
            <span className={classes['user']}>{me.user.username}</span>{' '}
            {project && <span className={classes['project']}>{project.name}</span>}
          </span>
          <IconSelector size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{strings.app.scheme}</Menu.Label>
        <div className={classes['scheme']}>
          <ColorSchemeToggle />
        </div>
        <Menu.Divider />
        <Menu.Item
          component={Link}
          to="/settings"
          leftSection={<IconSettings size={16} aria-hidden />}
        >
          {strings.access.settings.open}
        </Menu.Item>
        <Menu.Item component={Link} to="/audit" leftSection={<IconHistory size={16} aria-hidden />}>
          {strings.access.audit.open}
        </Menu.Item>
        <Menu.Item
          component="a"
          href="/api/v1/docs/"
          leftSection={<IconApi size={16} aria-hidden />}
        >
          {strings.app.apiDocumentation}
        </Menu.Item>
        {me.user.is_staff && (
          <Menu.Item
            component="a"
            href="/admin/"
            leftSection={<IconShield size={16} aria-hidden />}
          >
            {strings.app.administration}
          </Menu.Item>
        )}
        <Menu.Item
          leftSection={<IconLogout size={16} aria-hidden />}
          onClick={() => {
            signOut.mutate();
          }}
        >
          {strings.app.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
