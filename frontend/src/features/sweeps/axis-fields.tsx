import { ActionIcon, Checkbox, MultiSelect, Select, TagsInput, TextInput } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { humanize } from '@/lib/humanize';
import { strings } from '@/strings';
import classes from './new-sweep-page.module.css';
import { isRange, type AxisDraft, type SweepDraft } from './sweep-form';
import type { Sweepable } from './sweepable';

const text = strings.newSweep;

interface AxisFieldsProps {
  draft: SweepDraft;
  axis: AxisDraft;
  settings: readonly Sweepable[];
  problem: string | undefined;
  onChange: (axis: AxisDraft) => void;
  onRemove: () => void;
}

/** One setting that changes, and what it may be. */
export function AxisFields({ draft, axis, settings, problem, ...on }: AxisFieldsProps) {
  const setting = settings.find(({ path }) => path === axis.path);
  const sections = [...new Set(settings.map(({ section }) => section))];
  return (
    <div className={classes['axis']} role="group" aria-label={setting?.title ?? text.setting}>
      <Select
        label={text.setting}
        searchable
        data={sections.map((section) => ({
          group: humanize(section),
          items: settings
            .filter((option) => option.section === section)
            .map(({ path, title }) => ({ value: path, label: title })),
        }))}
        value={axis.path}
        onChange={(path) => {
          on.onChange({ ...axis, path, values: [], low: '', high: '', isLog: false });
        }}
      />
      <div className={classes['axisValues']}>
        {setting && (
          <Values
            draft={draft}
            axis={axis}
            setting={setting}
            problem={problem}
            onChange={on.onChange}
          />
        )}
      </div>
      <ActionIcon
        variant="subtle"
        color="gray"
        mt={26}
        aria-label={text.remove(setting?.title ?? text.setting.toLowerCase())}
        onClick={on.onRemove}
      >
        <IconX size={16} aria-hidden />
      </ActionIcon>
    </div>
  );
}

interface ValuesProps {
  draft: SweepDraft;
  axis: AxisDraft;
  setting: Sweepable;
  problem: string | undefined;
  onChange: (axis: AxisDraft) => void;
}

function Values({ draft, axis, setting, problem, onChange }: ValuesProps) {
  if (isRange(draft, setting)) return <Range axis={axis} problem={problem} onChange={onChange} />;
  const shared = {
    label: text.values,
    error: problem,
    value: [...axis.values],
    onChange: (values: string[]) => {
      onChange({ ...axis, values });
    },
  };
  if (setting.input.type === 'choice') {
    const options = setting.input.options.map(({ value, label }) => ({ value, label }));
    return <MultiSelect {...shared} data={options} searchable hidePickedOptions />;
  }
  return (
    <TagsInput
      {...shared}
      description={text.valuesHint}
      splitChars={[',', ' ', ';']}
      acceptValueOnBlur
      inputMode={setting.input.type === 'number' ? 'decimal' : 'text'}
    />
  );
}

function Range({ axis, problem, onChange }: Omit<ValuesProps, 'draft' | 'setting'>) {
  return (
    <div className={classes['range']}>
      {(['low', 'high'] as const).map((end) => (
        <TextInput
          key={end}
          label={text[end]}
          inputMode="decimal"
          autoComplete="off"
          error={end === 'low' ? problem : problem !== undefined}
          value={axis[end]}
          onChange={(event) => {
            onChange({ ...axis, [end]: event.currentTarget.value });
          }}
        />
      ))}
      <Checkbox
        label={text.log}
        checked={axis.isLog}
        onChange={(event) => {
          onChange({ ...axis, isLog: event.currentTarget.checked });
        }}
      />
    </div>
  );
}
