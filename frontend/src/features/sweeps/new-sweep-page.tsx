import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { runQuery } from '@/api/runs';
import { catalogueQuery, specSchemaQuery } from '@/api/spec';
import { Failure, Loading } from '@/components/ui/feedback';
import { PageHeader } from '@/components/ui/page-header';
import { asDocument, type JsonObject } from '@/lib/document-path';
import { usePageTitle } from '@/lib/use-page-title';
import { strings } from '@/strings';
import { NewSweepForm } from './new-sweep-form';

const text = strings.newSweep;
const route = getRouteApi('/member/sweeps/new');
const NOTHING: JsonObject = {};

/** A form for a sweep over the defaults, over given settings, or over those of a run. */
export function NewSweepPage() {
  const { clone, spec: given = NOTHING } = route.useSearch();
  usePageTitle(text.title);
  const schema = useQuery(specSchemaQuery);
  const catalogue = useQuery(catalogueQuery);
  const original = useQuery({ ...runQuery(clone ?? ''), enabled: clone !== undefined });
  const needed = clone === undefined ? [schema, catalogue] : [schema, catalogue, original];
  const failed = needed.find((query) => query.isError);
  if (failed) {
    return <Failure error={failed.error} onRetry={() => void failed.refetch()} />;
  }
  const isReady = needed.every((query) => query.isSuccess);
  return (
    <>
      <PageHeader title={text.title} lead={text.lead} />
      {!isReady && <Loading label={text.loading} rows={6} />}
      {isReady && schema.data && catalogue.data && (
        <NewSweepForm
          key={clone ?? JSON.stringify(given)}
          root={schema.data}
          catalogue={catalogue.data}
          base={original.data ? asDocument(original.data.spec) : given}
          baseName={original.data?.name}
        />
      )}
    </>
  );
}
