import { Button, Stack, TextInput } from '@mantine/core';
import type { ReactNode, SubmitEvent } from 'react';
import { PasswordField } from '@/components/ui/password-field';
import { formText } from '@/lib/form-text';
import { strings } from '@/strings';

export interface Credentials {
  username: string;
  password: string;
}

interface CredentialsFormProps {
  label: string;
  submit: string;
  isNew?: boolean;
  isPending: boolean;
  above?: ReactNode;
  onSubmit: (given: Credentials) => void;
}

/** A name and a password, of an account that there is or of a new one. */
export function CredentialsForm({
  label,
  submit,
  isNew = false,
  isPending,
  above,
  onSubmit,
}: CredentialsFormProps) {
  function send(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    onSubmit({
      username: formText(event.currentTarget, 'username'),
      password: formText(event.currentTarget, 'password'),
    });
  }
  return (
    <form onSubmit={send} aria-label={label}>
      <Stack gap="md">
        {above}
        <TextInput
          name="username"
          label={strings.signIn.username}
          autoComplete="username"
          autoCapitalize="none"
          size="md"
          required
          withAsterisk={false}
          data-autofocus
        />
        <PasswordField
          name="password"
          label={strings.signIn.password}
          {...(isNew && { description: strings.access.signInMore.newPassword })}
          autoComplete={isNew ? 'new-password' : 'current-password'}
          size="md"
          required
          withAsterisk={false}
        />
        <Button type="submit" size="md" loading={isPending} fullWidth>
          {submit}
        </Button>
      </Stack>
    </form>
  );
}
