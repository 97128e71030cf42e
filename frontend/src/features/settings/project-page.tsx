import { Alert, Badge, Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useState, type SubmitEvent } from 'react';
import {
  changeRole,
  invitationsQuery,
  invite,
  membersQuery,
  projectQuery,
  removeMember,
  renameProject,
  signInOptionsQuery,
  withdrawInvitation,
} from '@/api/access';
import { meQuery } from '@/api/session';
import type { Role } from '@/api/types';
import { Card } from '@/components/ui/card';
import { CopyButton } from '@/components/ui/copy-button';
import { Failure, Loading } from '@/components/ui/feedback';
import { PageHeader } from '@/components/ui/page-header';
import { Problem } from '@/components/ui/problem';
import { Row, RowList } from '@/components/ui/row-list';
import { formatAge } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { QuotaCard } from './quota-card';
import { TokensPanel } from './tokens-panel';

const text = strings.access.projects;
const route = getRouteApi('/member/projects/$projectId');
const ROLES: readonly Role[] = ['viewer', 'editor', 'admin'];
const ROLE_OPTIONS = ROLES.map((value) => ({ value, label: strings.access.roles[value] ?? value }));

function asRole(value: string | null): Role {
  return ROLES.find((role) => role === value) ?? 'viewer';
}

/** Who belongs to a project, how one comes in, and what it may use. */
export function ProjectPage() {
  const { projectId } = route.useParams();
  const project = useQuery(projectQuery(projectId));
  usePageTitle(project.data?.name ?? text.settings);
  if (project.isPending) return <Loading label={strings.access.settings.loading} />;
  if (project.isError) {
    return <Failure error={project.error} onRetry={() => void project.refetch()} />;
  }
  const mayManage = project.data.role === 'admin';
  return (
    <>
      <PageHeader
        title={project.data.name}
        aside={
          <Badge variant="light" color="gray">
            {strings.access.roles[project.data.role]}
          </Badge>
        }
      />
      <Stack gap="md" maw={760}>
        {mayManage && <NameCard project={projectId} name={project.data.name} />}
        <MembersCard project={projectId} mayManage={mayManage} />
        {mayManage && <InvitationsCard project={projectId} />}
        {mayManage && <TokensPanel project={projectId} />}
        <QuotaCard project={projectId} />
      </Stack>
    </>
  );
}

function NameCard({ project, name }: { project: string; name: string }) {
  const [wanted, setWanted] = useState(name);
  const queries = useQueryClient();
  const rename = useMutation({
    mutationFn: () => renameProject(project, wanted.trim()),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: projectQuery(project).queryKey });
      await queries.invalidateQueries({ queryKey: meQuery.queryKey });
    },
  });
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    rename.mutate();
  }
  return (
    <Card title={text.settings}>
      <form onSubmit={submit} aria-label={text.rename}>
        <Stack gap="sm">
          <Problem error={rename.error} />
          <Group gap="sm" align="flex-end">
            <TextInput
              label={text.name}
              value={wanted}
              maxLength={120}
              required
              withAsterisk={false}
              onChange={(event) => {
                setWanted(event.currentTarget.value);
              }}
            />
            <Button
              type="submit"
              variant="default"
              disabled={wanted.trim() === name}
              loading={rename.isPending}
            >
              {text.rename}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

function MembersCard({ project, mayManage }: { project: string; mayManage: boolean }) {
  const query = membersQuery(project);
  const members = useQuery(query);
  const queries = useQueryClient();
  const router = useRouter();
  const now = useNow();
  const change = useMutation({
    mutationFn: ({ id, role }: { id: string; role: Role }) => changeRole(project, id, role),
    onSettled: () => queries.invalidateQueries({ queryKey: ['projects', project] }),
  });
  const remove = useMutation({
    mutationFn: ({ id }: { id: string; isMe: boolean }) => removeMember(project, id),
    onSuccess: async (_, { isMe }) => {
      await queries.invalidateQueries({ queryKey: meQuery.queryKey });
      if (isMe) await router.navigate({ to: '/settings', search: { tab: 'projects' } });
      else await queries.invalidateQueries({ queryKey: query.queryKey });
    },
  });
  if (members.isPending) return <Loading label={strings.access.settings.loading} />;
  if (members.isError) {
    return <Failure error={members.error} onRetry={() => void members.refetch()} />;
  }
  return (
    <Card title={text.members}>
      <Problem error={change.error ?? remove.error} />
      <RowList label={text.members} empty="">
        {members.data.map(({ id, username, role, is_me: isMe, created_at: since }) => (
          <Row
            key={id}
            title={isMe ? `${username} (${text.you})` : username}
            detail={strings.access.people.joined(formatAge(since, now))}
          >
            {mayManage ? (
              <Select
                size="xs"
                w={140}
                aria-label={text.roleOf(username)}
                allowDeselect={false}
                value={role}
                data={ROLE_OPTIONS}
                onChange={(value) => {
                  change.mutate({ id, role: asRole(value) });
                }}
              />
            ) : (
              <Badge variant="light" color="gray">
                {strings.access.roles[role]}
              </Badge>
            )}
            {(mayManage || isMe) && (
              <Button
                size="xs"
                variant="default"
                aria-label={isMe ? text.leave : text.removeThat(username)}
                onClick={() => {
                  remove.mutate({ id, isMe });
                }}
              >
                {isMe ? text.leave : strings.access.settings.remove}
              </Button>
            )}
          </Row>
        ))}
      </RowList>
    </Card>
  );
}

function InvitationsCard({ project }: { project: string }) {
  const query = invitationsQuery(project);
  const open = useQuery(query);
  const queries = useQueryClient();
  const now = useNow();
  const again = () => queries.invalidateQueries({ queryKey: query.queryKey });
  const withdraw = useMutation({
    mutationFn: (id: string) => withdrawInvitation(project, id),
    onSettled: again,
  });
  return (
    <Card title={text.invitations} text={text.invitationsText}>
      <Stack gap="md">
        <Problem error={withdraw.error ?? open.error} />
        <RowList label={text.invitations} empty={text.noInvitations}>
          {(open.data ?? []).map(({ id, note: whom, role: as, expires_at: until }) => (
            <Row
              key={id}
              title={whom === '' ? text.someone : whom}
              detail={`${strings.access.roles[as] ?? as} · ${strings.access.tokens.expires(formatAge(until, now))}`}
            >
              <Button
                size="xs"
                variant="default"
                aria-label={text.withdrawThat(whom === '' ? text.someone : whom)}
                onClick={() => {
                  withdraw.mutate(id);
                }}
              >
                {text.withdraw}
              </Button>
            </Row>
          ))}
        </RowList>
        <InvitationForm project={project} onMade={again} />
      </Stack>
    </Card>
  );
}

function InvitationForm({ project, onMade }: { project: string; onMade: () => Promise<void> }) {
  const { data: options } = useQuery(signInOptionsQuery);
  const [role, setRole] = useState<Role>('editor');
  const [note, setNote] = useState('');
  const [email, setEmail] = useState('');
  const make = useMutation({
    mutationFn: (to: string) => invite(project, role, note.trim(), to),
    onSuccess: () => {
      setNote('');
      setEmail('');
      return onMade();
    },
  });
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    make.mutate(email.trim());
  }
  return (
    <form onSubmit={submit} aria-label={text.invite}>
      <Stack gap="md">
        <Problem error={make.error} />
        {make.data && (
          <InvitationLink
            code={make.data.code}
            said={sayOfLink(make.variables !== '', make.data.is_mailed)}
          />
        )}
        <Group gap="sm" align="flex-end">
          <TextInput
            label={text.for}
            value={note}
            maxLength={200}
            onChange={(event) => {
              setNote(event.currentTarget.value);
            }}
          />
          {options?.mails_invitations && (
            <TextInput
              label={text.email}
              placeholder={text.emailHint}
              type="email"
              value={email}
              maxLength={200}
              onChange={(event) => {
                setEmail(event.currentTarget.value);
              }}
            />
          )}
          <Select
            label={text.role}
            w={150}
            allowDeselect={false}
            value={role}
            data={ROLE_OPTIONS}
            onChange={(value) => {
              setRole(asRole(value));
            }}
          />
          <Button type="submit" loading={make.isPending}>
            {text.invite}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function sayOfLink(wasToBeMailed: boolean, isMailed: boolean): string {
  if (!wasToBeMailed) return text.link;
  return isMailed ? text.linkMailed : text.linkNotMailed;
}

function InvitationLink({ code, said }: { code: string; said: string }) {
  const link = `${window.location.origin}/invitation#${code}`;
  return (
    <Alert color="green" variant="light" role="status">
      <Stack gap="xs" align="flex-start">
        {said}
        <Text ff="monospace" size="sm" style={{ overflowWrap: 'anywhere' }} data-link>
          {link}
        </Text>
        <CopyButton value={link} />
      </Stack>
    </Alert>
  );
}
