import { Badge, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { confirmTotp, offerTotp, removeTotp, type TotpOffer } from '@/api/allauth';
import { Card } from '@/components/ui/card';
import { CopyButton } from '@/components/ui/copy-button';
import { Problem } from '@/components/ui/problem';
import { strings } from '@/strings';
import { QrCode } from './qr-code';
import { useProved } from './use-proved';

const text = strings.access.factors;

/** Codes of an app: set up by scanning, turned off with the password. */
export function TotpCard({ isOn }: { isOn: boolean }) {
  const [offer, setOffer] = useState<TotpOffer>();
  const [code, setCode] = useState('');
  const begin = useProved(offerTotp, setOffer);
  const confirm = useProved(confirmTotp, () => {
    setOffer(undefined);
    setCode('');
  });
  const turnOff = useProved(removeTotp, () => undefined);
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    confirm.mutate(code.replaceAll(/\s/g, ''));
  }
  return (
    <Card
      title={text.app}
      text={text.appText}
      aside={
        <Badge variant="light" color={isOn ? 'green' : 'gray'}>
          {isOn ? text.on : text.off}
        </Badge>
      }
    >
      {begin.dialog}
      {confirm.dialog}
      {turnOff.dialog}
      <Stack gap="sm" align="flex-start">
        <Problem error={begin.error ?? confirm.error ?? turnOff.error} />
        {isOn && (
          <Button
            variant="default"
            loading={turnOff.isPending}
            onClick={() => {
              turnOff.mutate(undefined);
            }}
          >
            {text.turnOff}
          </Button>
        )}
        {!isOn && offer === undefined && (
          <Button
            loading={begin.isPending}
            onClick={() => {
              begin.mutate(undefined);
            }}
          >
            {text.setUp}
          </Button>
        )}
        {!isOn && offer !== undefined && (
          <form onSubmit={submit} aria-label={text.app}>
            <Stack gap="sm" align="flex-start">
              <Text size="sm">{text.scan}</Text>
              <QrCode value={offer.totp_url} label={text.qr} />
              <Group gap="xs">
                <Text size="sm" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
                  {offer.secret}
                </Text>
                <CopyButton value={offer.secret} />
              </Group>
              <TextInput
                label={text.code}
                value={code}
                autoComplete="one-time-code"
                inputMode="numeric"
                required
                withAsterisk={false}
                onChange={(event) => {
                  setCode(event.currentTarget.value);
                }}
              />
              <Button type="submit" loading={confirm.isPending}>
                {text.confirm}
              </Button>
            </Stack>
          </form>
        )}
      </Stack>
    </Card>
  );
}
