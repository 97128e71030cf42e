import { Button, Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconServer2 } from '@tabler/icons-react';
import { draftOnSites, eligibilityQuery, offersQuery, type SiteChoice } from '@/api/sites';
import type { Eligibility } from '@/api/types';
import { fieldId, useFieldError, useForm } from '@/components/schema-form/form-context';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { ButtonLink } from '@/components/ui/links';
import { Problem } from '@/components/ui/problem';
import { isObject, type JsonObject } from '@/lib/document-path';
import { defaultOf } from '@/lib/json-schema';
import { strings } from '@/strings';
import { choiceIn, sectionsOf, simulated } from './site-choice';
import { SiteRows } from './site-rows';
import classes from './site-picker.module.css';
import { FieldGrid } from './section-fields';
import type { SpecForm } from './use-spec-form';

const text = strings.sitePicker;
const LIVE_MS = 10_000;
const ASK_AFTER_MS = 300;

/** Whose data a run uses, what it predicts, and which sites would take part in it. */
export function SitePicker({ form }: { form: SpecForm }) {
  const [settled] = useDebouncedValue(form.document, ASK_AFTER_MS);
  const answer = useQuery({ ...eligibilityQuery(settled), refetchInterval: LIVE_MS });
  return (
    <section className={classes['picker']} aria-label={text.title}>
      <div className={classes['head']}>
        <h3 className={classes['title']}>{text.title}</h3>
        <SimulateButton form={form} />
      </div>
      {answer.isPending && <Loading label={text.loading} rows={3} />}
      {answer.isError && answer.data === undefined && (
        <Failure error={answer.error} onRetry={() => void answer.refetch()} />
      )}
      {answer.data && <Choices form={form} answer={answer.data} />}
    </section>
  );
}

function SimulateButton({ form }: { form: SpecForm }) {
  const { root } = useForm();
  return (
    <Button
      variant="subtle"
      color="gray"
      size="compact-xs"
      onClick={() => {
        const defaults = Object.fromEntries(
          Object.entries(root.properties ?? {}).map(([name, each]) => [
            name,
            defaultOf(each, root),
          ]),
        );
        form.setSections(simulated(form.document, defaults));
      }}
    >
      {text.simulate}
    </Button>
  );
}

/** Each data set that is offered, with the approved sites that do. */
function offersOf({ sites }: Eligibility): Map<string, string[]> {
  const offers = new Map<string, string[]>();
  for (const { name: site, state, datasets } of sites) {
    if (state !== 'approved') continue;
    for (const { name } of datasets) offers.set(name, [...(offers.get(name) ?? []), site]);
  }
  return offers;
}

function Nothing({ title, children }: { title: string; children: string }) {
  return (
    <Empty
      icon={<IconServer2 size={34} stroke={1.4} color="var(--rh-text-dim)" aria-hidden />}
      title={title}
      text={children}
      action={
        <ButtonLink to="/sites" variant="default">
          {text.toSites}
        </ButtonLink>
      }
    />
  );
}

function Choices({ form, answer }: { form: SpecForm; answer: Eligibility }) {
  const choice = choiceIn(form.document);
  const offers = offersOf(answer);
  const { choose, problem, error } = useChoose(form);
  if (answer.sites.length === 0 && choice.sites.length === 0) {
    return <Nothing title={text.emptyTitle}>{text.emptyText}</Nothing>;
  }
  if (offers.size === 0 && choice.dataset === '') {
    return <Nothing title={text.noDataTitle}>{text.noDataText}</Nothing>;
  }
  return (
    <>
      <p className={classes['note']}>{text.lead(answer.project_name)}</p>
      <FieldGrid>
        <DatasetField choice={choice} offers={offers} onChoose={choose} />
        <TargetField choice={choice} problem={problem} onChoose={choose} />
      </FieldGrid>
      <Problem error={error} />
      <LeftOut choice={choice} />
      <SiteRows
        answer={answer}
        choice={choice}
        onChoose={(sites) => {
          choose({ ...choice, sites });
        }}
      />
    </>
  );
}

/** Write a choice into the document: at once what is certain, then what the sites' columns say. */
function useChoose(form: SpecForm) {
  const read = useMutation({
    mutationFn: ({ spec, choice }: { spec: JsonObject; choice: SiteChoice }) =>
      draftOnSites(spec, choice),
  });
  function choose(choice: SiteChoice): void {
    const spec = form.document;
    form.setSections(sectionsOf(spec, choice));
    if (choice.dataset === '' || choice.sites.length === 0) return;
    read.mutate(
      { spec, choice },
      {
        // Only the newest choice is heard.
        onSuccess: ({ sections, targets }) => {
          const [only, ...others] = targets;
          if (choice.target === null && only !== undefined && others.length === 0) {
            choose({ ...choice, target: only });
          } else if (isObject(sections)) {
            form.setSections(sections);
          }
        },
      },
    );
  }
  return { choose, problem: read.data?.problem ?? '', error: read.error };
}

interface FieldProps {
  choice: SiteChoice;
  onChoose: (choice: SiteChoice) => void;
}

function DatasetField({
  choice,
  offers,
  onChoose,
}: FieldProps & { offers: ReadonlyMap<string, readonly string[]> }) {
  const names = new Set([...offers.keys(), ...(choice.dataset === '' ? [] : [choice.dataset])]);
  const error = useFieldError('dataset.name');
  return (
    <Select
      id={fieldId('dataset.name')}
      label={text.dataset}
      description={text.datasetHint}
      size="sm"
      error={error}
      placeholder={text.choose}
      allowDeselect={false}
      value={choice.dataset === '' ? null : choice.dataset}
      data={[...names].map((name) => ({
        value: name,
        label: text.datasetOffer(name, offers.get(name)?.length ?? 0),
      }))}
      onChange={(dataset) => {
        if (dataset === null) return;
        const offering = offers.get(dataset) ?? [];
        const kept = choice.sites.filter((site) => offering.includes(site));
        const target = dataset === choice.dataset ? choice.target : null;
        onChoose({ dataset, target, sites: kept.length > 0 ? kept : offering });
      }}
    />
  );
}

function TargetField({ choice, problem, onChoose }: FieldProps & { problem: string }) {
  const offers = useQuery(offersQuery({ ...choice, target: null }));
  const targets = choice.dataset === '' ? [] : (offers.data?.targets ?? []);
  const own = useFieldError('dataset.target.column');
  const isAsked = choice.dataset !== '' && choice.sites.length > 0;
  const none = isAsked && offers.isSuccess && targets.length === 0;
  return (
    <Select
      id={fieldId('dataset.target.column')}
      label={text.target}
      description={text.targetHint}
      size="sm"
      error={problem === '' ? (own ?? (none && text.noTarget)) : problem}
      placeholder={text.choose}
      allowDeselect={false}
      disabled={choice.dataset === ''}
      value={choice.target}
      data={[...new Set([...targets, ...(choice.target === null ? [] : [choice.target])])]}
      onChange={(target) => {
        onChoose({ ...choice, target });
      }}
    />
  );
}

/** Columns that cannot be used, and why. */
function LeftOut({ choice }: { choice: SiteChoice }) {
  const isChosen = choice.target !== null && choice.sites.length > 0;
  const offers = useQuery({ ...offersQuery(choice), enabled: isChosen });
  const columns = isChosen ? (offers.data?.left_out ?? []) : [];
  if (columns.length === 0) return null;
  return (
    <details className={classes['left']}>
      <summary>{text.leftOut(columns.length)}</summary>
      <ul>
        {columns.map(({ column, why }) => (
          <li key={column}>
            <b>{column}</b>: {why}
          </li>
        ))}
      </ul>
    </details>
  );
}
