import { Alert, Button, Loader } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconRocket } from '@tabler/icons-react';
import { asApiError } from '@/api/errors';
import { fieldId, type FieldProblem } from '@/components/schema-form/form-context';
import { strings } from '@/strings';
import { EstimatePanel } from './estimate-panel';
import classes from './launch-panel.module.css';
import { settingName } from './setting-name';
import type { SpecForm } from './use-spec-form';

const text = strings.newRun;

interface LaunchPanelProps {
  form: SpecForm;
  isLaunching: boolean;
  launchLabel: string;
  error: unknown;
  problemsAre: 'listed' | 'counted';
}

/** What the run will cost, what is wrong with it, and the button that starts it. */
export function LaunchPanel(props: LaunchPanelProps) {
  const { form, isLaunching, launchLabel, error, problemsAre } = props;
  const { validation, problems, draft } = form;
  const failure = error === null ? null : asApiError(error);
  return (
    <aside className={classes['panel']} aria-label={text.summary}>
      <div className={classes['summary']}>
        <h2 className={classes['title']}>{text.summary}</h2>
        {validation.data?.estimate && <EstimatePanel estimate={validation.data.estimate} />}
        <div className={classes['verdict']} aria-live="polite">
          <Verdict form={form} problemsAre={problemsAre} />
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
          disabled={problems.length > 0 || (draft?.fault ?? null) !== null}
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

function Verdict({ form, problemsAre }: Pick<LaunchPanelProps, 'form' | 'problemsAre'>) {
  const { validation, isCurrent, problems, draft } = form;
  if (draft?.fault) {
    return <Bad>{`${text.yaml.line(draft.fault.line)}: ${draft.fault.message}`}</Bad>;
  }
  if (problems.length > 0 && problemsAre === 'counted') {
    return <Bad>{text.problemsTitle(problems.length)}</Bad>;
  }
  if (problems.length > 0) return <Problems problems={problems} />;
  if (validation.isError) {
    return <Bad>{`${text.validationFailed} ${asApiError(validation.error).message}`}</Bad>;
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

function Bad({ children }: { children: string }) {
  return (
    <p className={classes['bad']}>
      <IconAlertTriangle size={16} aria-hidden />
      <span>{children}</span>
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
