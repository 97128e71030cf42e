import { Button, Code } from '@mantine/core';
import { IconDownload, IconPackage } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { artifactsQuery, modelUrl } from '@/api/runs';
import type { Run } from '@/api/types';
import { Card } from '@/components/ui/card';
import { CopyButton } from '@/components/ui/copy-button';
import { Facts } from '@/components/ui/facts';
import { Empty, Failure, Loading } from '@/components/ui/feedback';
import { formatBytes, formatDateTime, formatInteger } from '@/lib/format';
import { strings } from '@/strings';
import classes from './run-model.module.css';

const text = strings.run.model;

const MODEL_FILE = 'model.safetensors';
const SNIPPET = `from safetensors.torch import load_file
params = load_file("${MODEL_FILE}")
print({name: tensor.shape for name, tensor in params.items()})`;

/** The trained model: what it is, where to get it, how to use it. */
export function RunModel({ run }: { run: Run }) {
  const artifacts = useQuery(artifactsQuery(run.id));
  if (artifacts.isPending) return <Loading label={text.loading} />;
  if (artifacts.isError) {
    return <Failure error={artifacts.error} onRetry={() => void artifacts.refetch()} />;
  }
  const model = artifacts.data.results.find(({ name }) => name === MODEL_FILE);
  if (model === undefined) {
    return (
      <Empty
        icon={<IconPackage size={34} stroke={1.4} color="var(--rh-text-dim)" aria-hidden />}
        title={text.title}
        text={run.is_final ? text.never : text.notReady}
      />
    );
  }
  return (
    <div className={classes['columns']}>
      <Card title={text.title}>
        <Facts
          facts={[
            { name: text.size, value: formatBytes(model.size_bytes) },
            { name: text.round, value: formatInteger(model.round_index) },
            { name: text.created, value: formatDateTime(model.created_at) },
            { name: text.sha256, value: <code className={classes['sha']}>{model.sha256}</code> },
          ]}
        />
        <Button
          component="a"
          href={modelUrl(run.id)}
          download
          mt="md"
          leftSection={<IconDownload size={16} aria-hidden />}
        >
          {text.download}
        </Button>
      </Card>
      <Card title={text.howTo} aside={<CopyButton value={SNIPPET} />}>
        <Code block className={classes['code']} tabIndex={0} role="region" aria-label={text.code}>
          {SNIPPET}
        </Code>
      </Card>
    </div>
  );
}
