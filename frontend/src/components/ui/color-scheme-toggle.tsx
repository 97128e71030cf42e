import { SegmentedControl, useMantineColorScheme, VisuallyHidden } from '@mantine/core';
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react';
import { strings } from '@/strings';

const SCHEMES = [
  { value: 'auto', Icon: IconDeviceDesktop },
  { value: 'light', Icon: IconSun },
  { value: 'dark', Icon: IconMoon },
] as const;

/** System, light or dark; the choice is remembered in this browser. */
export function ColorSchemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      size="xs"
      aria-label={strings.app.scheme}
      value={colorScheme}
      onChange={setColorScheme}
      data={SCHEMES.map(({ value, Icon }) => ({
        value,
        label: (
          <>
            <Icon size={15} aria-hidden style={{ display: 'block' }} />
            <VisuallyHidden>{strings.app.schemes[value]}</VisuallyHidden>
          </>
        ),
      }))}
    />
  );
}
