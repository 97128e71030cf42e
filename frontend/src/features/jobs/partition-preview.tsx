import { Alert, Loader } from '@mantine/core';
import { useTimeout } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { partitionQuery } from '@/api/spec';
import type { PartitionAnswer, PartitionReport } from '@/api/types';
import { PartitionFigure } from '@/components/charts/partition-figure';
import { Failure, Loading } from '@/components/ui/feedback';
import { formatInteger, formatReal } from '@/lib/format';
import { strings } from '@/strings';
import classes from './partition-preview.module.css';
import type { SpecForm } from './use-spec-form';

const text = strings.newRun.preview;
/** A worker that is free answers sooner. */
const SLOW_MS = 5_000;

/** How the settings divide the data; it follows them as they change. */
export function PartitionPreview({ form }: { form: SpecForm }) {
  const isValid = form.isCurrent && form.validation.data?.valid === true;
  // While something is wrong, or not checked yet, the last division stays.
  const preview = useQuery({ ...partitionQuery(form.document), enabled: isValid });
  const isStale = !isValid || preview.isPlaceholderData || preview.isFetching;
  return (
    <section className={classes['preview']} aria-label={text.title}>
      <div className={classes['head']}>
        <h3 className={classes['title']}>{text.title}</h3>
        <div aria-live="polite">{preview.isFetching && <Waiting />}</div>
      </div>
      {preview.isError && <Failure error={preview.error} onRetry={() => void preview.refetch()} />}
      {preview.isSuccess && <Answer answer={preview.data} isStale={isStale} />}
      {preview.isPending && isValid && <Loading label={text.loading} rows={3} />}
      {preview.isPending && !isValid && <p className={classes['note']}>{text.whenValid}</p>}
    </section>
  );
}

function Answer({ answer, isStale }: { answer: PartitionAnswer; isStale: boolean }) {
  const { report, problem } = answer;
  return (
    <div className={classes['body']} data-stale={isStale} aria-busy={isStale}>
      {report === null ? (
        <Alert
          color="yellow"
          variant="light"
          icon={<IconAlertTriangle size={16} aria-hidden />}
          title={text.failed}
        >
          {problem}
        </Alert>
      ) : (
        <Division report={report} />
      )}
    </div>
  );
}

/** Says that the answer is on its way, and after a while why it may take longer. */
function Waiting() {
  const [isSlow, setIsSlow] = useState(false);
  const { start, clear } = useTimeout(() => {
    setIsSlow(true);
  }, SLOW_MS);
  useEffect(() => {
    start();
    return clear;
  }, [start, clear]);
  return (
    <p className={classes['waiting']}>
      <Loader size={12} aria-hidden />
      {isSlow ? text.slow : text.loading}
    </p>
  );
}

function Division({ report }: { report: PartitionReport }) {
  const sizes = report.clients.map((client) => client.num_train).sort((a, b) => a - b);
  const middle = sizes[Math.floor(sizes.length / 2)] ?? 0;
  const facts = [
    { name: text.clients, value: formatInteger(report.num_clients) },
    {
      name: text.sizes,
      value: text.sizesValue(
        formatInteger(sizes[0]),
        formatInteger(middle),
        formatInteger(sizes.at(-1)),
      ),
    },
    {
      name: text.heterogeneity,
      value: text.heterogeneityValue(formatReal(report.total_variation)),
      hint: text.heterogeneityHint,
    },
    { name: text.gini, value: formatReal(report.size_gini), hint: text.giniHint },
    ...(report.unused_train > 0
      ? [{ name: text.unused, value: formatInteger(report.unused_train) }]
      : []),
  ];
  return (
    <>
      <dl className={classes['facts']}>
        {facts.map(({ name, value, hint }) => (
          <div key={name} title={hint}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <PartitionFigure
        clients={report.clients.map((client) => ({
          name: client.name ?? String(client.client_id),
          numSamples: client.num_train,
          classCounts: client.class_counts,
        }))}
        classNames={report.class_names}
        name={text.title}
        height="medium"
      />
      {report.clients.length < report.num_clients && (
        <p className={classes['note']}>{text.cut(report.clients.length, report.num_clients)}</p>
      )}
    </>
  );
}
