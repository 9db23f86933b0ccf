/** A grammar of templates → many sentences, always the same ones. */

export interface Grammar {
  readonly topics: readonly { readonly weight: number; readonly templates: readonly string[] }[];
  readonly fillings: Readonly<Record<string, string>>;
}

/** Deeper nesting than any filling has; a grammar that refers to itself ends here. */
const MAX_STEPS = 200;

/** About `count` sentences: topics by weight, the templates of a topic alike, alternatives by chance. */
export function unroll(grammar: Grammar, count: number): string[] {
  const random = generator(12_345);
  const total = grammar.topics.reduce((sum, topic) => sum + topic.weight, 0);
  const sentences: string[] = [];
  for (const { weight, templates } of grammar.topics) {
    const each = Math.max(1, Math.round((count * weight) / total / templates.length));
    for (const template of templates) for (let i = 0; i < each; i++) sentences.push(oneOf(template, grammar, random));
  }
  return sentences;
}

/** Innermost alternatives first, then slots: what is chosen away is never filled. */
function oneOf(template: string, { fillings }: Grammar, random: () => number): string {
  let text = template;
  for (let step = 0; step < MAX_STEPS; step++) {
    const choice = /\(([^()]*)\)/.exec(text);
    if (choice !== null) {
      const alternatives = (choice[1] ?? '').split('|');
      const chosen = alternatives[Math.floor(random() * alternatives.length)] ?? '';
      text = text.slice(0, choice.index) + chosen + text.slice(choice.index + choice[0].length);
      continue;
    }
    const slot = /\{(\w+)\}/.exec(text);
    if (slot === null) return text.replace(/\s+/g, ' ').trim();
    const filling = fillings[slot[1] ?? ''];
    if (filling === undefined) throw new Error(`The grammar has no filling {${slot[1]}}`);
    text = text.slice(0, slot.index) + filling + text.slice(slot.index + slot[0].length);
  }
  throw new Error(`The template does not come to an end: ${template}`);
}

/** Numerical Recipes' linear congruential generator: the same sentences on every machine. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
