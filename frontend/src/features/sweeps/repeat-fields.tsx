import { Checkbox, NumberInput, Select } from '@mantine/core';
import type { SweepInput } from '@/api/types';
import { metricTitle } from '@/components/charts/metric-axes';
import { strings } from '@/strings';
import classes from './new-sweep-page.module.css';
import type { SweepDraft } from './sweep-form';

const text = strings.newSweep;

type Metric = NonNullable<SweepInput['metric']>;

/** The server knows them; it says so when the data of a sweep have not the one that is chosen. */
const METRICS: readonly Metric[] = [
  'accuracy',
  'loss',
  'mse',
  'mae',
  'r2',
  'micro_f1',
  'subset_accuracy',
  'perplexity',
];

interface RepeatFieldsProps {
  draft: SweepDraft;
  onChange: (changes: Partial<SweepDraft>) => void;
}

/** How often, how many together, and what counts as best. */
export function RepeatFields({ draft, onChange }: RepeatFieldsProps) {
  const number = (name: 'seeds' | 'parallel' | 'trials', max: number, description?: string) => (
    <NumberInput
      label={text[name]}
      description={description}
      min={1}
      max={max}
      allowDecimal={false}
      value={draft[name]}
      onChange={(value) => {
        onChange({ [name]: typeof value === 'number' ? value : 1 });
      }}
    />
  );
  return (
    <div className={classes['repeat']}>
      {draft.mode === 'search' && number('trials', 1000)}
      {number('seeds', 100, text.seedsHint)}
      {number('parallel', 64, text.parallelHint)}
      <Select
        label={text.metric}
        data={METRICS.map((value) => ({ value, label: metricTitle(value) }))}
        placeholder={text.metricDefault}
        clearable
        value={draft.metric}
        onChange={(value) => {
          onChange({ metric: METRICS.find((known) => known === value) ?? null });
        }}
      />
      {draft.mode === 'search' && (
        <Checkbox
          label={text.prune}
          description={text.pruneHint}
          checked={draft.prunes}
          onChange={(event) => {
            onChange({ prunes: event.currentTarget.checked });
          }}
        />
      )}
    </div>
  );
}
