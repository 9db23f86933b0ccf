/**
 * Sentences → a trigram language model in ARPA format. Absolute discounting, interpolated with the
 * lower order; single words are interpolated with a background, so that no word of it is impossible.
 */

export interface TrigramOptions {
  readonly sentences: readonly string[];
  /** Word → weight, any scale. */
  readonly background: ReadonlyMap<string, number>;
  /** Share of the background among single words, 0 to 1. */
  readonly backgroundShare: number;
}

/** Taken off every count for n-grams that were not seen. */
const DISCOUNT = 0.6;
/** Unseen continuations get at least this much after every history: callers are freer than templates. */
const LEAST_UNSEEN = 0.03;
const [START, END] = ['<s>', '</s>'];

type Counts = Map<string, number>;

export function trigramModel({ sentences, background, backgroundShare }: TrigramOptions): string {
  const [one, two, three] = countNgrams(sentences);
  const unigrams = mixUnigrams(one, { background, backgroundShare });
  const bigrams = discounted(two, unigrams);
  const trigrams = discounted(three, bigrams);
  return arpa([unigrams, bigrams, trigrams], [backoffs(bigrams, unigrams), backoffs(trigrams, bigrams)]);
}

const history = (ngram: string): string => ngram.slice(0, ngram.lastIndexOf(' '));
const shortened = (ngram: string): string => ngram.slice(ngram.indexOf(' ') + 1);
const add = (counts: Counts, key: string, amount = 1): unknown => counts.set(key, (counts.get(key) ?? 0) + amount);

function countNgrams(sentences: readonly string[]): [Counts, Counts, Counts] {
  const [one, two, three]: [Counts, Counts, Counts] = [new Map(), new Map(), new Map()];
  for (const sentence of sentences) {
    const words = [START, ...sentence.split(' '), END];
    for (let i = 1; i < words.length; i++) {
      const [before = '', previous = '', word = ''] = [words[i - 2], words[i - 1], words[i]];
      add(one, word);
      add(two, `${previous} ${word}`);
      if (i > 1) add(three, `${before} ${previous} ${word}`);
    }
  }
  return [one, two, three];
}

function mixUnigrams(counts: Counts, { background, backgroundShare }: Omit<TrigramOptions, 'sentences'>): Counts {
  const total = sum(counts.values());
  const weight = sum(background.values());
  const mixed: Counts = new Map();
  for (const [word, count] of counts) add(mixed, word, ((1 - backgroundShare) * count) / total);
  for (const [word, share] of background) add(mixed, word, (backgroundShare * share) / weight);
  return mixed;
}

/** P(w|h) = kept counts + what was discounted, spread as the lower order spreads it. */
function discounted(counts: Counts, lower: Counts): Counts {
  const [totals, kinds]: [Counts, Counts] = [new Map(), new Map()];
  for (const [ngram, count] of counts) {
    add(totals, history(ngram), count);
    add(kinds, history(ngram));
  }
  const result: Counts = new Map();
  for (const [ngram, count] of counts) {
    const total = totals.get(history(ngram)) ?? 1;
    const freed = (DISCOUNT * (kinds.get(history(ngram)) ?? 0)) / total;
    const unseen = Math.max(LEAST_UNSEEN, freed);
    const kept = ((1 - unseen) / (1 - freed)) * ((count - DISCOUNT) / total);
    result.set(ngram, kept + unseen * (lower.get(shortened(ngram)) ?? 0));
  }
  return result;
}

/** What a history leaves to unseen words, relative to what the lower order gives to them. */
function backoffs(ngrams: Counts, lower: Counts): Counts {
  const [seen, seenBelow]: [Counts, Counts] = [new Map(), new Map()];
  for (const [ngram, probability] of ngrams) {
    add(seen, history(ngram), probability);
    add(seenBelow, history(ngram), lower.get(shortened(ngram)) ?? 0);
  }
  const left = (mass: number | undefined): number => Math.max(1e-4, 1 - (mass ?? 0));
  return new Map([...seen].map(([key, mass]) => [key, left(mass) / left(seenBelow.get(key))]));
}

function arpa(orders: readonly Counts[], backoff: readonly Counts[]): string {
  const lines = ['\\data\\', ...orders.map((ngrams, i) => `ngram ${i + 1}=${ngrams.size + (i === 0 ? 1 : 0)}`)];
  const log = (value: number): string => Math.log10(value).toFixed(4);
  for (const [i, ngrams] of orders.entries()) {
    lines.push('', `\\${i + 1}-grams:`);
    if (i === 0) lines.push(`-99 ${START} ${log(backoff[0]?.get(START) ?? 1)}`);
    for (const [ngram, probability] of ngrams) {
      const weight = backoff[i]?.get(ngram);
      lines.push(`${log(probability)} ${ngram}${weight === undefined ? '' : ` ${log(weight)}`}`);
    }
  }
  return [...lines, '', '\\end\\', ''].join('\n');
}

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};
