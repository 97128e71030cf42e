import { Alert, Button, Divider, Stack } from '@mantine/core';
import { IconFingerprint, IconLogin2 } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { requestAccount, signInOptionsQuery } from '@/api/access';
import {
  canUsePasskeys,
  leaveForSingleSignOn,
  pendingFactors,
  signInWithPasskey,
} from '@/api/allauth';
import { client, unwrap } from '@/api/client';
import { asApiError } from '@/api/errors';
import { meQuery } from '@/api/session';
import { Problem } from '@/components/ui/problem';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { CredentialsForm, type Credentials } from './credentials';
import { Door } from './door';
import { SecondFactor } from './second-factor';
import classes from './sign-in-page.module.css';

const route = getRouteApi('/sign-in');
const text = strings.access.signInMore;

export function SignInPage() {
  const { next, expired, problem, returned } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const [factors, setFactors] = useState<readonly string[]>();
  const [isAsking, setIsAsking] = useState(false);
  usePageTitle(strings.signIn.title);

  function goOn(): void {
    // The administration is pages of the server, not of this application.
    if (next?.startsWith('/admin/')) window.location.assign(next);
    else router.history.replace(next ?? '/');
  }
  async function enter(): Promise<void> {
    queries.clear();
    await queries.query(meQuery);
    goOn();
  }
  const signIn = useMutation({
    mutationFn: (body: Credentials) => unwrap(client.POST('/api/v1/auth/login/', { body })),
    onSuccess: (me) => {
      queries.clear();
      queries.setQueryData(meQuery.queryKey, me);
      goOn();
    },
    onError: (error) => {
      const { code, fields } = asApiError(error);
      if (code === 'second_factor_required') setFactors(fields['second_factor'] ?? []);
    },
  });
  // Back from the identity provider: in already, or asked for a second factor.
  useQuery({
    queryKey: ['returned'],
    enabled: returned === true,
    retry: false,
    queryFn: async () => {
      const pending = await pendingFactors();
      if (pending.length > 0) setFactors(pending);
      else await enter();
      return true;
    },
  });

  if (factors !== undefined) {
    return (
      <Door>
        <SecondFactor
          kinds={factors}
          onDone={() => void enter()}
          onStartOver={() => {
            setFactors(undefined);
            signIn.reset();
          }}
        />
      </Door>
    );
  }
  if (isAsking) {
    return (
      <Door>
        <AskForAccount
          onBack={() => {
            setIsAsking(false);
          }}
        />
      </Door>
    );
  }
  return (
    <Door>
      <CredentialsForm
        label={strings.signIn.title}
        submit={strings.signIn.submit}
        isPending={signIn.isPending}
        onSubmit={signIn.mutate}
        above={
          <>
            <Notice isShown={expired === true && !signIn.isError}>{strings.signIn.expired}</Notice>
            <Notice isShown={problem !== undefined && !signIn.isError}>
              {text.problems[problem ?? ''] ?? strings.errors.title}
            </Notice>
            {signIn.isError && (
              <Alert color="red" variant="light" role="alert">
                {asApiError(signIn.error).message}
              </Alert>
            )}
          </>
        }
      />
      <OtherWays
        onDone={() => void enter()}
        onAsk={() => {
          setIsAsking(true);
        }}
      />
      <p className={classes['hint']}>{strings.signIn.hint}</p>
    </Door>
  );
}

function Notice({ isShown, children }: { isShown: boolean; children: ReactNode }) {
  if (!isShown) return null;
  return (
    <Alert color="yellow" variant="light" role="status">
      {children}
    </Alert>
  );
}

/** What there is beside a password, as far as this installation and this browser have it. */
function OtherWays({ onDone, onAsk }: { onDone: () => void; onAsk: () => void }) {
  const { data: options } = useQuery(signInOptionsQuery);
  const passkey = useMutation({ mutationFn: signInWithPasskey, onSuccess: onDone });
  const leave = useMutation({ mutationFn: () => leaveForSingleSignOn('login') });
  if (options === undefined) return null;
  const name = options.single_sign_on;
  return (
    <Stack gap="xs" mt="md">
      {(name !== null || canUsePasskeys()) && <Divider label={text.or} />}
      <Problem error={passkey.error ?? leave.error} />
      {name !== null && (
        <Button
          variant="default"
          fullWidth
          loading={leave.isPending}
          leftSection={<IconLogin2 size={16} aria-hidden />}
          onClick={() => {
            leave.mutate();
          }}
        >
          {text.singleSignOn(name)}
        </Button>
      )}
      {canUsePasskeys() && (
        <Button
          variant="default"
          fullWidth
          loading={passkey.isPending}
          leftSection={<IconFingerprint size={16} aria-hidden />}
          onClick={() => {
            passkey.mutate();
          }}
        >
          {text.passkey}
        </Button>
      )}
      {options.may_request && (
        <Button variant="subtle" size="xs" onClick={onAsk}>
          {text.request}
        </Button>
      )}
    </Stack>
  );
}

function AskForAccount({ onBack }: { onBack: () => void }) {
  const ask = useMutation({ mutationFn: requestAccount });
  return (
    <Stack gap="md">
      {ask.isSuccess ? (
        <Notice isShown>{text.requested}</Notice>
      ) : (
        <CredentialsForm
          label={text.request}
          submit={text.requestSend}
          isNew
          isPending={ask.isPending}
          onSubmit={ask.mutate}
          above={<Problem error={ask.error} />}
        />
      )}
      <Button variant="subtle" color="gray" size="xs" onClick={onBack}>
        {text.back}
      </Button>
    </Stack>
  );
}
