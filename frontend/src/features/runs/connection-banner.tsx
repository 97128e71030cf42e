import { Loader } from '@mantine/core';
import { IconWifiOff } from '@tabler/icons-react';
import type { SocketStatus } from '@/api/run-socket';
import { strings } from '@/strings';
import classes from './connection-banner.module.css';

/** Says that what is on the screen may be behind; nothing when all is well. */
export function ConnectionBanner({ status }: { status: SocketStatus }) {
  if (status !== 'reconnecting' && status !== 'offline') return null;
  return (
    <div className={classes['banner']} role="status">
      {status === 'offline' ? (
        <IconWifiOff size={16} aria-hidden />
      ) : (
        <Loader size={14} color="currentcolor" aria-hidden />
      )}
      {status === 'offline' ? strings.run.offline : strings.run.reconnecting}
    </div>
  );
}
