import { Alert, Badge, Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { createToken, revokeToken, tokensQuery, type NewToken } from '@/api/access';
import type { Scope, Token } from '@/api/types';
import { Card } from '@/components/ui/card';
import { CopyButton } from '@/components/ui/copy-button';
import { Failure, Loading } from '@/components/ui/feedback';
import { Problem } from '@/components/ui/problem';
import { Row, RowList } from '@/components/ui/row-list';
import { formatAge } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { strings } from '@/strings';

const text = strings.access.tokens;
const SCOPES = Object.keys(text.scopes) as Scope[];
const DAYS = [7, 30, 90, 365];

/** Tokens of the user, or with a project those of the project. */
export function TokensPanel({ project }: { project?: string }) {
  const query = tokensQuery(project);
  const tokens = useQuery(query);
  const queries = useQueryClient();
  const [made, setMade] = useState<{ name: string; token: string }>();
  const again = () => queries.invalidateQueries({ queryKey: query.queryKey });
  const create = useMutation({
    mutationFn: (body: NewToken) => createToken(body, project),
    onSuccess: async (token) => {
      setMade(token);
      await again();
    },
  });
  const revoke = useMutation({
    mutationFn: (id: string) => revokeToken(id, project),
    onSettled: again,
  });
  return (
    <Card
      title={project === undefined ? text.mine : text.project}
      text={project === undefined ? text.mineText : text.projectText}
    >
      <Stack gap="md">
        <Problem error={create.error ?? revoke.error} />
        {made && (
          <Alert
            color="green"
            variant="light"
            title={text.madeTitle(made.name)}
            role="status"
            withCloseButton
            closeButtonLabel={text.done}
            onClose={() => {
              setMade(undefined);
            }}
          >
            <Stack gap="xs" align="flex-start">
              {text.made}
              <Text ff="monospace" size="sm" style={{ overflowWrap: 'anywhere' }} data-token>
                {made.token}
              </Text>
              <CopyButton value={made.token} />
            </Stack>
          </Alert>
        )}
        {tokens.isPending && <Loading label={strings.access.settings.loading} rows={2} />}
        {tokens.isError && <Failure error={tokens.error} onRetry={() => void tokens.refetch()} />}
        {tokens.data && (
          <RowList label={project === undefined ? text.mine : text.project} empty={text.none}>
            {tokens.data.map((token) => (
              <TokenRow
                key={token.id}
                token={token}
                onRevoke={() => {
                  revoke.mutate(token.id);
                }}
              />
            ))}
          </RowList>
        )}
        <NewTokenForm isPending={create.isPending} onSubmit={create.mutate} />
      </Stack>
    </Card>
  );
}

function TokenRow({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  const now = useNow();
  const used =
    token.last_used_at === null
      ? text.unused
      : text.used(formatAge(token.last_used_at, now), token.last_used_from ?? '');
  const detail = [`${token.prefix}…`, text.expires(formatAge(token.expires_at, now)), used];
  return (
    <Row title={token.name} detail={detail.join(' · ')}>
      <Badge variant="light" color="gray">
        {text.scopes[token.scope]}
      </Badge>
      <Button
        size="xs"
        variant="default"
        aria-label={text.revokeThat(token.name)}
        onClick={onRevoke}
      >
        {text.revoke}
      </Button>
    </Row>
  );
}

function NewTokenForm({
  isPending,
  onSubmit,
}: {
  isPending: boolean;
  onSubmit: (body: NewToken) => void;
}) {
  const [name, setName] = useState('');
  const [scope, setScope] = useState<Scope>('run');
  const [days, setDays] = useState(90);
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    onSubmit({ name: name.trim(), scope, expires_in_days: days });
    setName('');
  }
  return (
    <form onSubmit={submit} aria-label={text.create}>
      <Group gap="sm" align="flex-end">
        <TextInput
          label={text.name}
          value={name}
          maxLength={120}
          required
          withAsterisk={false}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
        />
        <Select
          label={text.scope}
          allowDeselect={false}
          value={scope}
          data={SCOPES.map((value) => ({ value, label: text.scopes[value] }))}
          onChange={(value) => {
            setScope(SCOPES.find((known) => known === value) ?? 'run');
          }}
        />
        <Select
          label={text.days}
          allowDeselect={false}
          w={120}
          value={String(days)}
          data={DAYS.map((value) => ({ value: String(value), label: text.daysOf(value) }))}
          onChange={(value) => {
            setDays(Number(value));
          }}
        />
        <Button type="submit" loading={isPending}>
          {text.create}
        </Button>
      </Group>
    </form>
  );
}
