import { Button, Stack, Text, TextInput } from '@mantine/core';
import { IconFingerprint } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState, type SubmitEvent } from 'react';
import { canUsePasskeys, confirmWithCode, confirmWithPasskey } from '@/api/allauth';
import { Problem } from '@/components/ui/problem';
import { strings } from '@/strings';

const text = strings.access.signInMore;

interface SecondFactorProps {
  kinds: readonly string[];
  onDone: () => void;
  onStartOver: () => void;
}

/** What is asked for after a right password, where the account wants more. */
export function SecondFactor({ kinds, onDone, onStartOver }: SecondFactorProps) {
  const [code, setCode] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const byCode = useMutation({ mutationFn: confirmWithCode, onSuccess: onDone });
  const byPasskey = useMutation({ mutationFn: confirmWithPasskey, onSuccess: onDone });
  // It takes the place of the form in which the focus was.
  useEffect(() => {
    input.current?.focus();
  }, []);
  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    byCode.mutate(code.replaceAll(/\s/g, ''));
  }
  return (
    <form onSubmit={submit} aria-label={text.codeTitle}>
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          {text.codeText}
        </Text>
        <Problem error={byCode.error ?? byPasskey.error} />
        <TextInput
          label={text.code}
          value={code}
          autoComplete="one-time-code"
          size="md"
          required
          withAsterisk={false}
          ref={input}
          onChange={(event) => {
            setCode(event.currentTarget.value);
          }}
        />
        <Button type="submit" size="md" fullWidth loading={byCode.isPending}>
          {text.confirm}
        </Button>
        {kinds.includes('webauthn') && canUsePasskeys() && (
          <Button
            variant="default"
            fullWidth
            loading={byPasskey.isPending}
            leftSection={<IconFingerprint size={16} aria-hidden />}
            onClick={() => {
              byPasskey.mutate();
            }}
          >
            {text.usePasskey}
          </Button>
        )}
        <Button variant="subtle" color="gray" size="xs" onClick={onStartOver}>
          {text.startOver}
        </Button>
      </Stack>
    </form>
  );
}
