import { Button, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { acceptInvitation, previewInvitation } from '@/api/access';
import { meQuery } from '@/api/session';
import { Failure, Loading } from '@/components/ui/feedback';
import { ButtonLink } from '@/components/ui/links';
import { Problem } from '@/components/ui/problem';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { CredentialsForm, type Credentials } from './credentials';
import { Door } from './door';

const text = strings.access.invitation;

/** Coming into a project by a link; its code is the fragment of the address, which is never sent. */
export function InvitationPage() {
  const code = window.location.hash.slice(1);
  const router = useRouter();
  const queries = useQueryClient();
  usePageTitle(text.title);
  const invitation = useQuery({
    queryKey: ['invitation', code],
    queryFn: () => previewInvitation(code),
    enabled: code !== '',
    retry: false,
  });
  const me = useQuery({ ...meQuery, retry: false });
  const accept = useMutation({
    mutationFn: (account: Credentials | null) => acceptInvitation(code, account),
    onSuccess: (found) => {
      queries.clear();
      queries.setQueryData(meQuery.queryKey, found);
      void router.navigate({ to: '/runs', replace: true });
    },
  });
  if (code === '') {
    return (
      <Door>
        <Text size="sm">{text.missing}</Text>
      </Door>
    );
  }
  if (invitation.isPending || me.isPending) {
    return (
      <Door>
        <Loading label={text.loading} rows={3} />
      </Door>
    );
  }
  if (invitation.isError) {
    return (
      <Door>
        <Failure error={invitation.error} />
      </Door>
    );
  }
  const { invited_by: by, project, role } = invitation.data;
  return (
    <Door>
      <Stack gap="md">
        <Text size="sm">{text.text(by, project, strings.access.roles[role] ?? role)}</Text>
        {me.data ? (
          <>
            <Problem error={accept.error} />
            <Button
              size="md"
              loading={accept.isPending}
              onClick={() => {
                accept.mutate(null);
              }}
            >
              {text.joinAs(me.data.user.username)}
            </Button>
          </>
        ) : (
          <>
            <CredentialsForm
              label={text.title}
              submit={text.create}
              isNew
              isPending={accept.isPending}
              onSubmit={accept.mutate}
              above={<Problem error={accept.error} />}
            />
            <ButtonLink
              to="/sign-in"
              search={{ next: `/invitation#${code}` }}
              variant="subtle"
              color="gray"
              size="xs"
            >
              {text.have}
            </ButtonLink>
          </>
        )}
      </Stack>
    </Door>
  );
}
