import { useQuery } from '@tanstack/react-query';
import { catalogueQuery, specSchemaQuery } from '@/api/spec';
import type { Run } from '@/api/types';
import { Card } from '@/components/ui/card';
import { CopyButton } from '@/components/ui/copy-button';
import { Facts } from '@/components/ui/facts';
import { Failure, Loading } from '@/components/ui/feedback';
import { asDocument } from '@/lib/document-path';
import { strings } from '@/strings';
import classes from './run-spec.module.css';
import { sectionsOf } from './spec-sections';

const text = strings.run.spec;

/** The complete document that this run executes; what differs from the defaults stands out. */
export function RunSpecView({ run }: { run: Run }) {
  const schema = useQuery(specSchemaQuery);
  const catalogue = useQuery(catalogueQuery);
  if (schema.isPending || catalogue.isPending) return <Loading label={strings.run.loading} />;
  if (schema.isError) {
    return <Failure error={schema.error} onRetry={() => void schema.refetch()} />;
  }
  return (
    <div className={classes['spec']}>
      <div className={classes['head']}>
        <p className={classes['digest']}>
          <span title={text.digestHint}>{text.digest}</span> <code>{run.digest.slice(0, 16)}</code>
        </p>
        <span className={classes['key']}>{text.changed}</span>
        <CopyButton label={text.copyJson} value={JSON.stringify(run.spec, null, 2)} />
      </div>
      <div className={classes['sections']}>
        {sectionsOf(asDocument(run.spec), schema.data, catalogue.data).map(
          ({ key, title, facts }) => (
            <Card key={key} title={title}>
              <Facts
                facts={facts.map(({ name, value, isChanged }) => ({
                  name,
                  value,
                  emphasis: isChanged ? text.changed : undefined,
                }))}
              />
            </Card>
          ),
        )}
      </div>
    </div>
  );
}
