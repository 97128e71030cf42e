import { Alert, Button, Loader } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconRocket } from '@tabler/icons-react';
import { asApiError } from '@/api/errors';
import type { Estimate } from '@/api/types';
import { fieldId, type FieldProblem } from '@/components/schema-form/form-context';
import { Facts } from '@/components/ui/facts';
import { formatBytes, formatCount, formatInteger } from '@/lib/format';

import { strings } from '@/strings';
import classes from './launch-panel.module.css';
import { settingName } from './setting-name';
import type { SpecForm } from './use-spec-form';

const text = strings.newRun;

interface LaunchPanelProps {
  form: SpecForm;
  isLaunching: boolean;
  launchLabel: string;
  error: unknown;
}

/** What the run will cost, what is wrong with it, and the button that starts it. */
export function LaunchPanel({ form, isLaunching, launchLabel, error }: LaunchPanelProps) {
  const { validation, placed, unplaced } = form;
  const problems = [...placed.values()].flat().concat(unplaced);
  const failure = error === null ? null : asApiError(error);
  return (
    <aside className={classes['panel']} aria-label={text.summary}>
      <div className={classes['summary']}>
        <h2 className={classes['title']}>{text.summary}</h2>
        {validation.data?.estimate && <EstimateFacts estimate={validation.data.estimate} />}
        <div className={classes['verdict']} aria-live="polite">
          <Verdict form={form} problems={problems} />
        </div>
        {failure && Object.keys(failure.fields).length === 0 && (
          <Alert color="red" variant="light" role="alert">
            {failure.message}
          </Alert>
        )}
      </div>
      <div className={classes['buttons']}>
        <Button
          type="submit"
          size="md"
          fullWidth
          loading={isLaunching}
          disabled={problems.length > 0}
          leftSection={<IconRocket size={18} aria-hidden />}
        >
          {launchLabel}
        </Button>
        <Button
          variant="subtle"
          color="gray"
          size="xs"
          className={classes['reset']}
          onClick={form.reset}
        >
          {text.resetAll}
        </Button>
      </div>
    </aside>
  );
}

function Verdict({ form, problems }: { form: SpecForm; problems: readonly FieldProblem[] }) {
  const { validation, isCurrent } = form;
  if (problems.length > 0) return <Problems problems={problems} />;
  if (validation.isError) {
    return (
      <p className={classes['bad']}>
        <IconAlertTriangle size={16} aria-hidden />
        {`${text.validationFailed} ${asApiError(validation.error).message}`}
      </p>
    );
  }
  return isCurrent ? (
    <p className={classes['good']}>
      <IconCircleCheck size={16} aria-hidden />
      {text.valid}
    </p>
  ) : (
    <p className={classes['busy']}>
      <Loader size={14} aria-hidden />
      {text.validating}
    </p>
  );
}

function Problems({ problems }: { problems: readonly FieldProblem[] }) {
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle size={16} aria-hidden />}
      title={text.problemsTitle(problems.length)}
    >
      <ul className={classes['problems']}>
        {problems.map(({ path, message, fix }) => (
          <li key={`${path} ${message}`}>
            <a
              href={`#${fieldId(path)}`}
              onClick={(event) => {
                const field = document.getElementById(fieldId(path.replace(/\.kind$/, '')));
                if (field === null) return;
                event.preventDefault();
                field.focus();
              }}
            >
              {settingName(path)}
            </a>{' '}
            {message} {fix}
          </li>
        ))}
      </ul>
    </Alert>
  );
}

function EstimateFacts({ estimate }: { estimate: Estimate }) {
  const { estimate: names } = text;
  const orUnknown = (value: number | null, format: (value: number) => string) =>
    value === null ? text.unknown : format(value);
  return (
    <Facts
      facts={[
        { name: names.cohort, value: formatInteger(estimate.cohort) },
        { name: names.parameters, value: orUnknown(estimate.model_parameters, formatCount) },
        { name: names.up, value: orUnknown(estimate.bytes_up_per_round, formatBytes) },
        { name: names.down, value: orUnknown(estimate.bytes_down_per_round, formatBytes) },
        { name: names.total, value: orUnknown(estimate.bytes_total, formatBytes) },
        { name: names.memory, value: orUnknown(estimate.memory_bytes, formatBytes) },
      ]}
    />
  );
}
