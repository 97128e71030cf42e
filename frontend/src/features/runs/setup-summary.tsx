import { useQuery } from '@tanstack/react-query';
import { catalogueQuery, specSchemaQuery } from '@/api/spec';
import { Card } from '@/components/ui/card';
import { Facts } from '@/components/ui/facts';
import { Failure, Loading } from '@/components/ui/feedback';
import type { JsonObject } from '@/lib/document-path';
import { resolve } from '@/lib/json-schema';
import { strings } from '@/strings';
import { sectionsOf } from './spec-sections';

/** The sections of the short form in one line each. */
export function SetupSummary({ spec }: { spec: JsonObject }) {
  const schema = useQuery(specSchemaQuery);
  const catalogue = useQuery(catalogueQuery);
  return (
    <Card title={strings.run.setup}>
      {schema.isPending && <Loading label={strings.run.loading} />}
      {schema.isError && <Failure error={schema.error} onRetry={() => void schema.refetch()} />}
      {schema.data && (
        <Facts
          facts={sectionsOf(spec, schema.data, catalogue.data)
            .filter(({ key }) => {
              const section = schema.data.properties?.[key];
              return section !== undefined && resolve(section, schema.data)['x-basic'] === true;
            })
            .map(({ title, facts }) => ({
              name: title,
              value: facts
                .filter(({ isBasic, value }) => isBasic && value !== strings.run.spec.null)
                .map(({ name, value }) =>
                  name === strings.run.spec.kind ? value : `${name.toLowerCase()} ${value}`,
                )
                .join(', '),
            }))}
        />
      )}
    </Card>
  );
}
