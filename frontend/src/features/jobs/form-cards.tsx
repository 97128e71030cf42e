import { Card } from '@/components/ui/card';
import type { JsonSchema } from '@/lib/json-schema';
import { useAfterwards } from '@/lib/use-afterwards';
import { strings } from '@/strings';
import { AdvancedGroups } from './advanced-groups';
import { cardsOf } from './form-layout';
import { PartitionPreview } from './partition-preview';
import { isOnSites, isWhollyOnSites } from './site-choice';
import { SitePicker } from './site-picker';
import { FieldGrid, SectionFields } from './section-fields';
import type { SpecForm } from './use-spec-form';

/** Everything that can be set, section by section. */
export function FormCards({ root, form }: { root: JsonSchema; form: SpecForm }) {
  const isTurn = useAfterwards();
  const cards = cardsOf(root);
  const onSites = isOnSites(form.document);
  /** Every site is one client: there is nothing to divide. */
  const isShown = (section: string) => section !== 'partition' || !isWhollyOnSites(form.document);
  return (
    <>
      {(isTurn ? cards : cards.slice(0, 1)).map((card) => (
        <Card key={card.id} {...strings.newRun.cards[card.id]}>
          <FieldGrid>
            {card.sections.filter(isShown).map((section) => (
              <SectionFields key={section} section={section} depth="basic" />
            ))}
          </FieldGrid>
          {card.id === 'data' &&
            (onSites ? <SitePicker form={form} /> : <PartitionPreview form={form} />)}
        </Card>
      ))}
      {isTurn && <AdvancedGroups form={form} />}
    </>
  );
}
