import { Alert, Button, SegmentedControl, TextInput } from '@mantine/core';
import { IconPlus, IconRocket } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState, type SubmitEvent } from 'react';
import { asApiError, type ApiError } from '@/api/errors';
import { launchJob, newIdempotencyKey } from '@/api/jobs';
import { runKeys } from '@/api/runs';
import { sweepKeys } from '@/api/sweeps';
import type { CatalogueEntry, SweepInput } from '@/api/types';
import { Card } from '@/components/ui/card';
import type { JsonObject } from '@/lib/document-path';
import { defaultsOf, type JsonSchema } from '@/lib/json-schema';
import { strings } from '@/strings';
import { AxisFields } from './axis-fields';
import { BaseCard } from './base-card';
import classes from './new-sweep-page.module.css';
import { RepeatFields } from './repeat-fields';
import {
  axisProblem,
  EMPTY_SWEEP,
  emptyAxis,
  numRuns,
  suggestName,
  sweepOf,
  type AxisDraft,
  type Mode,
  type SweepDraft,
} from './sweep-form';
import { sweepablesOf, type Sweepable } from './sweepable';

const text = strings.newSweep;

interface NewSweepFormProps {
  root: JsonSchema;
  catalogue: readonly CatalogueEntry[];
  base: JsonObject;
  /** The run that the base is of. */
  baseName: string | undefined;
}

export function NewSweepForm({ root, catalogue, base, baseName }: NewSweepFormProps) {
  const [name, setName] = useState('');
  const [draft, setDraft] = useState<SweepDraft>(EMPTY_SWEEP);
  const launch = useLaunchSweep();
  const complete = useMemo(
    () => ({ ...defaultsOf(root.properties ?? {}, root), ...base }),
    [root, base],
  );
  const settings = useMemo(
    () => sweepablesOf(root, complete, catalogue),
    [root, complete, catalogue],
  );
  const byPath = useMemo(() => new Map(settings.map((each) => [each.path, each])), [settings]);
  const change = (changes: Partial<SweepDraft>) => {
    launch.reset();
    setDraft((old) => ({ ...old, ...changes }));
  };

  const isIncomplete = draft.axes.some((axis) => axisProblem(draft, axis, byPath) !== undefined);
  const total = numRuns(draft);
  const refused = launch.error === null ? null : asApiError(launch.error);

  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const chosen = name.trim();
    launch.mutate({
      name: chosen === '' ? suggestName(draft) : chosen,
      sweep: sweepOf(draft, base, byPath),
    });
  }

  return (
    <form className={classes['form']} onSubmit={submit} noValidate aria-label={text.title}>
      <TextInput
        label={text.name}
        placeholder={suggestName(draft)}
        maxLength={120}
        value={name}
        onChange={(event) => {
          setName(event.currentTarget.value);
        }}
      />
      <BaseCard root={root} base={base} complete={complete} name={baseName} />
      <Card
        title={text.settings}
        text={text.settingsText[draft.mode]}
        aside={<ModeControl draft={draft} onChange={change} />}
      >
        <Axes
          draft={draft}
          settings={settings}
          byPath={byPath}
          refused={refused}
          onChange={change}
        />
      </Card>
      <Card title={text.repeat}>
        <RepeatFields draft={draft} onChange={change} />
      </Card>
      {refused && <Refusal error={refused} draft={draft} />}
      <div className={classes['submit']}>
        <Button
          type="submit"
          size="md"
          loading={launch.isPending}
          disabled={total === 0 || isIncomplete}
          leftSection={<IconRocket size={18} aria-hidden />}
        >
          {text.launch(total)}
        </Button>
        {total === 0 && <p className={classes['dim']}>{text.nothing}</p>}
      </div>
    </form>
  );
}

function ModeControl({ draft, onChange }: { draft: SweepDraft; onChange: ChangeDraft }) {
  return (
    <SegmentedControl
      size="xs"
      aria-label={text.mode}
      data={(Object.keys(text.modes) as Mode[]).map((mode) => ({
        value: mode,
        label: text.modes[mode],
      }))}
      value={draft.mode}
      onChange={(mode) => {
        onChange({ mode });
      }}
    />
  );
}

type ChangeDraft = (changes: Partial<SweepDraft>) => void;

interface AxesProps {
  draft: SweepDraft;
  settings: readonly Sweepable[];
  byPath: ReadonlyMap<string, Sweepable>;
  refused: ApiError | null;
  onChange: ChangeDraft;
}

function Axes({ draft, settings, byPath, refused, onChange }: AxesProps) {
  const { axes } = draft;
  const replace = (changed: AxisDraft) => {
    onChange({ axes: axes.map((axis) => (axis.id === changed.id ? changed : axis)) });
  };
  return (
    <div className={classes['axes']}>
      {axes.map((axis) => (
        <AxisFields
          key={axis.id}
          draft={draft}
          axis={axis}
          settings={settings}
          // What is missing is said once something has been written; the button waits for it.
          problem={problemsAt(refused, axis.path) ?? shownProblem(draft, axis, byPath)}
          onChange={replace}
          onRemove={() => {
            onChange({ axes: axes.filter(({ id }) => id !== axis.id) });
          }}
        />
      ))}
      <Button
        variant="default"
        size="xs"
        className={classes['add'] ?? ''}
        leftSection={<IconPlus size={14} aria-hidden />}
        onClick={() => {
          onChange({ axes: [...axes, emptyAxis(Math.max(-1, ...axes.map(({ id }) => id)) + 1)] });
        }}
      >
        {text.add}
      </Button>
    </div>
  );
}

function shownProblem(draft: SweepDraft, axis: AxisDraft, byPath: ReadonlyMap<string, Sweepable>) {
  const isTouched = axis.values.length > 0 || (axis.low !== '' && axis.high !== '');
  const problem = axisProblem(draft, axis, byPath);
  return isTouched || problem === text.twice ? problem : undefined;
}

/** Where the server puts the problems of a setting. */
const ROOTS = ['sweep.axes', 'sweep.search.parameters'];

function isAbout(field: string, path: string): boolean {
  return ROOTS.some((root) => field === `${root}.${path}` || field.startsWith(`${root}.${path}.`));
}

function problemsAt(error: ApiError | null, path: string | null): string | undefined {
  if (error === null || path === null) return undefined;
  const found = Object.entries(error.fields).filter(([field]) => isAbout(field, path));
  return found.length === 0 ? undefined : found.flatMap(([, messages]) => messages).join(' ');
}

/** What the server objects to and no field shows. */
function Refusal({ error, draft }: { error: ApiError; draft: SweepDraft }) {
  const paths = draft.axes.flatMap(({ path }) => (path === null ? [] : [path]));
  const rest = Object.entries(error.fields).filter(
    ([field]) => !paths.some((path) => isAbout(field, path)),
  );
  return (
    <Alert color="red" variant="light" role="alert" title={text.problems}>
      {rest.length === 0 ? (
        error.message
      ) : (
        <ul className={classes['problems']}>
          {rest.map(([field, messages]) => (
            <li key={field}>{`${field.replace(/^sweep\./, '')}: ${messages.join(' ')}`}</li>
          ))}
        </ul>
      )}
    </Alert>
  );
}

function useLaunchSweep() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  // One key per attempt of the user: the same request sent again must not launch again.
  const key = useRef(newIdempotencyKey());
  return useMutation({
    mutationFn: ({ name, sweep }: { name: string; sweep: SweepInput }) =>
      launchJob({ name, spec: {}, sweep, idempotencyKey: key.current }),
    onSuccess: async ({ id }) => {
      void queries.invalidateQueries({ queryKey: sweepKeys.all });
      void queries.invalidateQueries({ queryKey: runKeys.lists() });
      await navigate({ to: '/sweeps/$jobId', params: { jobId: id } });
    },
    onError: (error) => {
      if (!asApiError(error).isTransient) key.current = newIdempotencyKey();
    },
  });
}
