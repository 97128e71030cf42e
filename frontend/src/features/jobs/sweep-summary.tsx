import { Button } from '@mantine/core';
import type { IntentSweep } from '@/api/types';
import { Card } from '@/components/ui/card';
import { strings } from '@/strings';
import { settingName, shortValue } from './setting-name';
import { numRuns, searched, type SearchRange } from './sweep-draft';
import classes from './prompt-view.module.css';

const text = strings.newRun.prompt;

/** That several runs will be launched, and in what they differ. */
export function SweepSummary({ sweep, onDrop }: { sweep: IntentSweep; onDrop: () => void }) {
  return (
    <Card
      title={text.sweep}
      text={text.sweepText(numRuns(sweep))}
      aside={
        <Button variant="default" size="xs" onClick={onDrop}>
          {text.dropSweep}
        </Button>
      }
    >
      <ul className={classes['notes']}>
        {Object.entries(sweep.axes).map(([path, values]) => (
          <li key={path}>
            {settingName(path)}: {values.map(shortValue).join(' · ')}
          </li>
        ))}
        {searched(sweep).map(([path, range]) => (
          <li key={path}>
            {settingName(path)}: {shortRange(range)}
          </li>
        ))}
        {sweep.seeds !== null && <li>{`${settingName('seeds')}: ${String(sweep.seeds)}`}</li>}
      </ul>
    </Card>
  );
}

function shortRange({ values, low, high }: SearchRange): string {
  return values ? values.map(shortValue).join(' · ') : `${shortValue(low)} … ${shortValue(high)}`;
}
