import { Button, Group, Modal, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { approveSite, renewInvitation, revokeSite, SITES } from '@/api/sites';
import type { Site } from '@/api/types';
import { Problem } from '@/components/ui/problem';
import { strings } from '@/strings';
import { Invited } from './invite-dialog';
import classes from './site-page.module.css';

const text = strings.site;
const DAYS = 7;

/** What an administrator can do with a site now. */
export function SiteActions({ site }: { site: Site }) {
  const can = (action: Site['allowed_actions'][number]) => site.allowed_actions.includes(action);
  return (
    <Group gap={8}>
      {can('approve') && <ApproveButton site={site} />}
      {can('invite') && <CodeButton site={site} />}
      {can('revoke') && <RevokeButton site={site} />}
    </Group>
  );
}

function ApproveButton({ site }: { site: Site }) {
  const [isAsking, dialog] = useDisclosure(false);
  const queries = useQueryClient();
  const approve = useMutation({
    mutationFn: () => approveSite(site.id),
    onSuccess: () => {
      dialog.close();
      return queries.invalidateQueries({ queryKey: SITES });
    },
  });
  return (
    <>
      <Button onClick={dialog.open}>{text.approve}</Button>
      <Modal
        opened={isAsking}
        onClose={dialog.close}
        title={text.approveTitle}
        centered
        closeButtonProps={{ 'aria-label': strings.siteInvite.close }}
      >
        <Problem error={approve.error} />
        <p>{text.approveText}</p>
        <p className={classes['mono']}>{site.fingerprint}</p>
        <Group justify="flex-end" mt="lg" gap="xs">
          <Button variant="default" data-autofocus onClick={dialog.close}>
            {text.approveKeep}
          </Button>
          <Button
            loading={approve.isPending}
            onClick={() => {
              approve.mutate();
            }}
          >
            {text.approveConfirm}
          </Button>
        </Group>
      </Modal>
    </>
  );
}

function CodeButton({ site }: { site: Site }) {
  const queries = useQueryClient();
  const renew = useMutation({
    mutationFn: () => renewInvitation(site.id, DAYS),
    onSuccess: () => queries.invalidateQueries({ queryKey: SITES }),
  });
  return (
    <>
      <Button
        variant="default"
        loading={renew.isPending}
        onClick={() => {
          renew.mutate();
        }}
      >
        {text.newCode}
      </Button>
      <Modal
        opened={renew.data !== undefined}
        onClose={renew.reset}
        title={strings.siteInvite.madeTitle(site.name)}
        centered
        size="lg"
        closeButtonProps={{ 'aria-label': strings.siteInvite.close }}
      >
        {renew.data && <Invited site={renew.data} onClose={renew.reset} />}
      </Modal>
      <Problem error={renew.error} />
    </>
  );
}

function RevokeButton({ site }: { site: Site }) {
  const [isAsking, dialog] = useDisclosure(false);
  const [reason, setReason] = useState('');
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeSite(site.id, reason.trim()),
    onSuccess: () => {
      dialog.close();
      return queries.invalidateQueries({ queryKey: SITES });
    },
  });
  return (
    <>
      <Button variant="default" onClick={dialog.open}>
        {text.revoke}
      </Button>
      <Modal
        opened={isAsking}
        onClose={dialog.close}
        title={text.revokeTitle}
        centered
        closeButtonProps={{ 'aria-label': strings.siteInvite.close }}
      >
        <Problem error={revoke.error} />
        <p>{text.revokeText}</p>
        <TextInput
          label={text.revokeReason}
          value={reason}
          maxLength={500}
          onChange={(event) => {
            setReason(event.currentTarget.value);
          }}
        />
        <Group justify="flex-end" mt="lg" gap="xs">
          <Button variant="default" data-autofocus onClick={dialog.close}>
            {text.revokeKeep}
          </Button>
          <Button
            color="red"
            loading={revoke.isPending}
            onClick={() => {
              revoke.mutate();
            }}
          >
            {text.revokeConfirm}
          </Button>
        </Group>
      </Modal>
    </>
  );
}
