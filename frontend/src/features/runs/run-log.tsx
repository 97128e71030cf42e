import { Box, Button, Select, Switch, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { logQuery, logUrl } from '@/api/runs';
import type { LogLevel, LogLine, Run } from '@/api/types';
import { Card } from '@/components/ui/card';
import { Failure, Loading } from '@/components/ui/feedback';
import { formatTimeOfDay } from '@/lib/format';
import { strings } from '@/strings';
import classes from './run-log.module.css';

const text = strings.log;
const LEVELS: readonly LogLevel[] = ['info', 'warning', 'error'];
const LIVE_MS = 1_500;
const LINE_HEIGHT = 22;

/** What happened, line by line; the newest are at the bottom. */
export function RunLog({ run }: { run: Run }) {
  const [level, setLevel] = useState<LogLevel>('info');
  const [client, setClient] = useState('');
  const [words, setWords] = useState('');
  const [isFollowing, setFollowing] = useState(true);
  const [filter] = useDebouncedValue({ level, client: client.trim(), text: words.trim() }, 250);
  const log = useQuery({
    ...logQuery(run.id, filter),
    refetchInterval: run.is_final ? false : LIVE_MS,
  });
  return (
    <Card
      title={text.title}
      aside={
        <Button
          component="a"
          href={logUrl(run.id, filter)}
          download
          size="xs"
          variant="default"
          leftSection={<IconDownload size={14} aria-hidden />}
        >
          {text.download}
        </Button>
      }
    >
      <div className={classes['tools']}>
        <Select
          size="xs"
          label={text.level}
          data={LEVELS.map((value) => ({ value, label: text.levels[value] }))}
          value={level}
          allowDeselect={false}
          onChange={(next) => {
            setLevel(LEVELS.find((known) => known === next) ?? 'info');
          }}
        />
        <TextInput
          size="xs"
          label={text.client}
          value={client}
          onChange={(event) => {
            setClient(event.currentTarget.value);
          }}
        />
        <TextInput
          size="xs"
          label={text.words}
          value={words}
          onChange={(event) => {
            setWords(event.currentTarget.value);
          }}
        />
        <Switch
          size="xs"
          label={text.follow}
          checked={isFollowing}
          onChange={(event) => {
            setFollowing(event.currentTarget.checked);
          }}
        />
      </div>
      {log.isPending && <Loading label={text.loading} rows={5} />}
      {log.isError && <Failure error={log.error} onRetry={() => void log.refetch()} />}
      {log.data?.lines.length === 0 && <p className={classes['empty']}>{text.empty}</p>}
      {log.data && log.data.lines.length > 0 && (
        <Lines lines={log.data.lines} isFollowing={isFollowing} />
      )}
    </Card>
  );
}

/** Only what can be seen is in the page, however long the log is. */
function Lines({ lines, isFollowing }: { lines: readonly LogLine[]; isFollowing: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- used here and passed nowhere
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 20,
    initialRect: { width: 800, height: 480 },
  });
  const lastSeq = lines.at(-1)?.seq;
  useEffect(() => {
    if (isFollowing) virtual.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [isFollowing, lastSeq, lines.length, virtual]);
  return (
    <Box ref={box} className={classes['log'] ?? ''} tabIndex={0} role="log" aria-label={text.title}>
      <div style={{ height: virtual.getTotalSize() }} className={classes['all']}>
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const line = lines[index];
          if (line === undefined) return null;
          return (
            <div
              key={key}
              ref={virtual.measureElement}
              data-index={index}
              data-level={line.level}
              className={classes['line']}
              style={{ transform: `translateY(${start}px)` }}
            >
              <time dateTime={line.at} className={classes['time']}>
                {formatTimeOfDay(line.at)}
              </time>
              <span className={classes['level']}>{text.levels[line.level]}</span>
              <span className={classes['message']}>{line.message}</span>
            </div>
          );
        })}
      </div>
    </Box>
  );
}
