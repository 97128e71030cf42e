import { Alert, Button, Stack } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useRef, type SubmitEvent } from 'react';
import { changePassword } from '@/api/allauth';
import { meQuery } from '@/api/session';
import { Card } from '@/components/ui/card';
import { Facts } from '@/components/ui/facts';
import { Problem } from '@/components/ui/problem';
import { PasswordField } from '@/components/ui/password-field';
import { formText } from '@/lib/form-text';
import { strings } from '@/strings';

const text = strings.access.account;

export function AccountPanel() {
  const { data: me } = useQuery(meQuery);
  if (me === undefined) return null;
  return (
    <>
      <Card title={text.title}>
        <Facts
          facts={[
            { name: text.username, value: me.user.username },
            { name: text.kind, value: me.user.is_superuser ? text.yes : text.no },
          ]}
        />
      </Card>
      <PasswordCard username={me.user.username} />
    </>
  );
}

function PasswordCard({ username }: { username: string }) {
  const form = useRef<HTMLFormElement>(null);
  const change = useMutation({
    mutationFn: changePassword,
    onSuccess: () => {
      form.current?.reset();
    },
  });
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    change.mutate({
      current_password: formText(event.currentTarget, 'current'),
      new_password: formText(event.currentTarget, 'next'),
    });
  }
  return (
    <Card title={text.password} text={text.passwordText}>
      <form ref={form} onSubmit={submit} aria-label={text.password}>
        <Stack gap="sm" maw={360}>
          {change.isSuccess && (
            <Alert color="green" variant="light" role="status">
              {text.changed}
            </Alert>
          )}
          <Problem error={change.error} />
          <input type="hidden" autoComplete="username" name="username" value={username} readOnly />
          <PasswordField
            name="current"
            label={text.current}
            autoComplete="current-password"
            required
          />
          <PasswordField
            name="next"
            label={text.next}
            description={strings.access.signInMore.newPassword}
            autoComplete="new-password"
            required
          />
          <Button type="submit" loading={change.isPending} w="fit-content">
            {text.change}
          </Button>
        </Stack>
      </form>
    </Card>
  );
}
