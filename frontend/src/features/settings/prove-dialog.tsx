import { Button, Modal, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { SubmitEvent } from 'react';
import { proveByPassword } from '@/api/allauth';
import { Problem } from '@/components/ui/problem';
import { PasswordField } from '@/components/ui/password-field';
import { formText } from '@/lib/form-text';
import { strings } from '@/strings';

const text = strings.access.factors;

/** Asks for the password again, before the way in to the account is changed. */
export function ProveDialog({ onProved, onClose }: { onProved: () => void; onClose: () => void }) {
  const prove = useMutation({ mutationFn: proveByPassword, onSuccess: onProved });
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    prove.mutate(formText(event.currentTarget, 'password'));
  }
  return (
    <Modal opened onClose={onClose} title={text.proveTitle}>
      <form onSubmit={submit} aria-label={text.proveTitle}>
        <Stack gap="sm">
          <Text size="sm">{text.proveText}</Text>
          <Problem error={prove.error} />
          <PasswordField
            name="password"
            label={text.password}
            autoComplete="current-password"
            required
            withAsterisk={false}
            data-autofocus
          />
          <Button type="submit" loading={prove.isPending}>
            {text.continue}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}
