import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { signInOptionsQuery } from '@/api/access';
import {
  addPasskey,
  authenticatorsQuery,
  canUsePasskeys,
  leaveForSingleSignOn,
  recoveryCodes,
  removePasskey,
  renewRecoveryCodes,
  type Authenticator,
} from '@/api/allauth';
import { Card } from '@/components/ui/card';
import { CopyButton } from '@/components/ui/copy-button';
import { Failure, Loading } from '@/components/ui/feedback';
import { Problem } from '@/components/ui/problem';
import { Row, RowList } from '@/components/ui/row-list';
import { formatAge } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { strings } from '@/strings';
import { TotpCard } from './totp-card';
import { useProved } from './use-proved';

const text = strings.access.factors;

/** What protects the account beside its password. */
export function FactorsPanel() {
  const found = useQuery(authenticatorsQuery);
  if (found.isPending) return <Loading label={strings.access.settings.loading} />;
  if (found.isError) {
    return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  }
  const recovery = found.data.find(({ type }) => type === 'recovery_codes');
  return (
    <>
      <TotpCard isOn={found.data.some(({ type }) => type === 'totp')} />
      <PasskeyCard passkeys={found.data.filter(({ type }) => type === 'webauthn')} />
      <RecoveryCard recovery={recovery} />
      <SingleSignOnCard />
    </>
  );
}

function PasskeyCard({ passkeys }: { passkeys: readonly Authenticator[] }) {
  const [name, setName] = useState('');
  const now = useNow();
  const add = useProved(addPasskey, () => {
    setName('');
  });
  const remove = useProved(removePasskey, () => undefined);
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    add.mutate(name.trim());
  }
  return (
    <Card title={text.passkeys} text={text.passkeysText}>
      {add.dialog}
      {remove.dialog}
      <Stack gap="sm">
        <Problem error={add.error ?? remove.error} />
        <RowList label={text.passkeys} empty={text.noPasskeys}>
          {passkeys.map((passkey) => (
            <Row
              key={passkey.id}
              title={passkey.name}
              detail={
                passkey.last_used_at === null
                  ? text.neverUsed
                  : text.lastUsed(
                      formatAge(new Date(passkey.last_used_at * 1000).toISOString(), now),
                    )
              }
            >
              <Button
                size="xs"
                variant="default"
                aria-label={text.removePasskey(passkey.name ?? '')}
                onClick={() => {
                  if (passkey.id !== undefined) remove.mutate(passkey.id);
                }}
              >
                {strings.access.settings.remove}
              </Button>
            </Row>
          ))}
        </RowList>
        {canUsePasskeys() ? (
          <form onSubmit={submit} aria-label={text.addPasskey}>
            <Group gap="sm" align="flex-end">
              <TextInput
                label={text.passkeyName}
                value={name}
                maxLength={100}
                required
                withAsterisk={false}
                onChange={(event) => {
                  setName(event.currentTarget.value);
                }}
              />
              <Button type="submit" loading={add.isPending}>
                {text.addPasskey}
              </Button>
            </Group>
          </form>
        ) : (
          <Text size="sm" c="dimmed">
            {text.passkeysImpossible}
          </Text>
        )}
      </Stack>
    </Card>
  );
}

function RecoveryCard({ recovery }: { recovery: Authenticator | undefined }) {
  const [codes, setCodes] = useState<readonly string[]>();
  const show = useProved(recoveryCodes, ({ unused_codes }) => {
    setCodes(unused_codes);
  });
  const renew = useProved(renewRecoveryCodes, ({ unused_codes }) => {
    setCodes(unused_codes);
  });
  return (
    <Card title={text.recovery} text={text.recoveryText}>
      {show.dialog}
      {renew.dialog}
      <Stack gap="sm" align="flex-start">
        <Problem error={show.error ?? renew.error} />
        <Text size="sm" c="dimmed">
          {recovery === undefined
            ? text.recoveryNone
            : text.recoveryLeft(recovery.unused_code_count ?? 0, recovery.total_code_count ?? 0)}
        </Text>
        {codes !== undefined && (
          <>
            <Text size="sm">{text.keep}</Text>
            <Text component="pre" size="sm" ff="monospace" m={0}>
              {codes.join('\n')}
            </Text>
            <CopyButton value={codes.join('\n')} />
          </>
        )}
        {recovery !== undefined && (
          <Group gap="sm">
            <Button
              variant="default"
              loading={show.isPending}
              onClick={() => {
                show.mutate(undefined);
              }}
            >
              {text.show}
            </Button>
            <Button
              variant="default"
              loading={renew.isPending}
              onClick={() => {
                renew.mutate(undefined);
              }}
            >
              {text.renew}
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}

function SingleSignOnCard() {
  const { data: options } = useQuery(signInOptionsQuery);
  const leave = useMutation({ mutationFn: () => leaveForSingleSignOn('connect') });
  if (!options?.single_sign_on) return null;
  return (
    <Card title={text.sso} text={text.ssoText}>
      <Problem error={leave.error} />
      <Button
        variant="default"
        loading={leave.isPending}
        onClick={() => {
          leave.mutate();
        }}
      >
        {text.ssoConnect(options.single_sign_on)}
      </Button>
    </Card>
  );
}
