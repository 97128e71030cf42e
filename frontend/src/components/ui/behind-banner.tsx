import { Loader } from '@mantine/core';
import { IconWifiOff } from '@tabler/icons-react';
import classes from './behind-banner.module.css';

interface BehindBannerProps {
  isOffline: boolean;
  children: string;
}

/** A line that stays in sight while what is on the screen may be behind. */
export function BehindBanner({ isOffline, children }: BehindBannerProps) {
  return (
    <div className={classes['banner']} role="status">
      {isOffline ? (
        <IconWifiOff size={16} aria-hidden />
      ) : (
        <Loader size={14} color="currentcolor" aria-hidden />
      )}
      {children}
    </div>
  );
}
