import { Card } from '@/components/ui/card';
import type { JsonSchema } from '@/lib/json-schema';
import { strings } from '@/strings';
import { AdvancedGroups } from './advanced-groups';
import { cardsOf } from './form-layout';
import { PartitionPreview } from './partition-preview';
import { FieldGrid, SectionFields } from './section-fields';
import type { SpecForm } from './use-spec-form';

/** Everything that can be set, section by section. */
export function FormCards({ root, form }: { root: JsonSchema; form: SpecForm }) {
  return (
    <>
      {cardsOf(root).map((card) => (
        <Card key={card.id} {...strings.newRun.cards[card.id]}>
          <FieldGrid>
            {card.sections.map((section) => (
              <SectionFields key={section} section={section} depth="basic" />
            ))}
          </FieldGrid>
          {card.id === 'data' && <PartitionPreview form={form} />}
        </Card>
      ))}
      <AdvancedGroups form={form} />
    </>
  );
}
