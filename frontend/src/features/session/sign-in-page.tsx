import { Alert, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import type { SubmitEvent } from 'react';
import { client, unwrap } from '@/api/client';
import { asApiError } from '@/api/errors';
import { meQuery } from '@/api/session';
import { Logo } from '@/components/ui/logo';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import classes from './sign-in-page.module.css';

const route = getRouteApi('/sign-in');

export function SignInPage() {
  const { next, expired } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  usePageTitle(strings.signIn.title);
  const signIn = useMutation({
    mutationFn: (body: { username: string; password: string }) =>
      unwrap(client.POST('/api/v1/auth/login/', { body })),
    onSuccess: (me) => {
      queries.clear();
      queries.setQueryData(meQuery.queryKey, me);
      router.history.replace(next ?? '/runs');
    },
  });

  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    // The browser's own form state: password managers fill it without telling anybody.
    const form = new FormData(event.currentTarget);
    const text = (name: string): string => {
      const value = form.get(name);
      return typeof value === 'string' ? value : '';
    };
    signIn.mutate({ username: text('username'), password: text('password') });
  }

  return (
    <main className={classes['page']}>
      <Logo size={1100} className={classes['backdrop']} />
      <div className={classes['card']}>
        <div className={classes['brand']}>
          <Logo size={44} />
          <h1>{strings.app.name}</h1>
          <p>{strings.app.tagline}</p>
        </div>
        <form onSubmit={submit} aria-label={strings.signIn.title}>
          <Stack gap="md">
            {expired === true && !signIn.isError && (
              <Alert color="yellow" variant="light" role="status">
                {strings.signIn.expired}
              </Alert>
            )}
            {signIn.isError && (
              <Alert color="red" variant="light" role="alert">
                {asApiError(signIn.error).message}
              </Alert>
            )}
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
            <PasswordInput
              name="password"
              label={strings.signIn.password}
              autoComplete="current-password"
              size="md"
              required
              withAsterisk={false}
            />
            <Button type="submit" size="md" loading={signIn.isPending} fullWidth>
              {strings.signIn.submit}
            </Button>
          </Stack>
        </form>
        <p className={classes['hint']}>{strings.signIn.hint}</p>
      </div>
    </main>
  );
}
