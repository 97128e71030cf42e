import type { JsonSchema } from '@/lib/json-schema';
import { resolve } from '@/lib/json-schema';
import { strings } from '@/strings';

/** One card of the short form and the sections that it shows. */
interface FormCard {
  id: keyof typeof strings.newRun.cards;
  sections: readonly string[];
}

const CARDS: readonly FormCard[] = [
  { id: 'data', sections: ['dataset', 'partition'] },
  { id: 'method', sections: ['model', 'algorithm', 'rounds'] },
  { id: 'training', sections: ['local'] },
  { id: 'participation', sections: ['sampling'] },
];

/** The cards of the short form; a basic section without a card of its own goes into the last. */
export function cardsOf(root: JsonSchema): readonly FormCard[] {
  const basic = Object.entries(root.properties ?? {})
    .filter(([, schema]) => resolve(schema, root)['x-basic'] === true)
    .map(([name]) => name);
  const placed = new Set(CARDS.flatMap((card) => card.sections));
  const cards: FormCard[] = [
    ...CARDS,
    { id: 'other', sections: basic.filter((name) => !placed.has(name)) },
  ];
  return cards
    .map((card) => ({ ...card, sections: card.sections.filter((name) => basic.includes(name)) }))
    .filter((card) => card.sections.length > 0);
}
