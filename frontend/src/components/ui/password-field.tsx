import { PasswordInput, type PasswordInputProps } from '@mantine/core';
import { strings } from '@/strings';

/** A password, which can be shown; by keyboard too. */
export function PasswordField(props: PasswordInputProps) {
  return (
    <PasswordInput
      visibilityToggleButtonProps={{ tabIndex: 0, 'aria-label': strings.form.showPassword }}
      {...props}
    />
  );
}
