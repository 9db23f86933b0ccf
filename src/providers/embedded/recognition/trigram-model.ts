/**
 * Sentences → a trigram language model in ARPA format, mixed with a general model of single words
 * and pairs, so that no word of it is impossible and free speech keeps its grammar. Absolute
 * discounting, interpolated with the lower order.
 */

export interface TrigramOptions {
  readonly sentences: readonly string[];
  readonly general: {
    /** Word → weight, any scale. */
    readonly words: ReadonlyMap<string, number>;
    /** "before word" → P(word | before); what is missing is left to the single words. */
    readonly pairs: ReadonlyMap<string, number>;
  };
  /** Share of the general model where the sentences know how to go on, 0 to 1. */
  readonly generalShare: number;
}

/** Taken off every count for n-grams that were not seen. */
const DISCOUNT = 0.6;
/** Unseen continuations get at least this much after every history: callers are freer than templates. */
const LEAST_UNSEEN = 0.1;
const [START, END] = ['<s>', '</s>'];

type Counts = Map<string, number>;

export function trigramModel({ sentences, general, generalShare }: TrigramOptions): string {
  const [one, two, three] = countNgrams(sentences);
  const unigrams = mixUnigrams(one, general.words, generalShare);
  const bigrams = mixBigrams({ domain: discounted(two, unigrams), general: general.pairs, unigrams, generalShare });
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

function mixUnigrams(counts: Counts, words: ReadonlyMap<string, number>, generalShare: number): Counts {
  const total = sum(counts.values());
  const weight = sum(words.values());
  const mixed: Counts = new Map();
  for (const [word, count] of counts) add(mixed, word, ((1 - generalShare) * count) / total);
  for (const [word, share] of words) add(mixed, word, (generalShare * share) / weight);
  return mixed;
}

interface BigramMix {
  readonly domain: Counts;
  readonly general: ReadonlyMap<string, number>;
  readonly unigrams: Counts;
  readonly generalShare: number;
}

/** A pair that one side does not list has there what that side leaves to single words. */
function mixBigrams({ domain, general, unigrams, generalShare }: BigramMix): Counts {
  const [domainLeft, generalLeft] = [backoffs(domain, unigrams), backoffs(general, unigrams)];
  const mixed: Counts = new Map();
  for (const pair of new Set([...domain.keys(), ...general.keys()])) {
    const [before, single] = [history(pair), unigrams.get(shortened(pair))];
    if (single === undefined) continue;
    const domainBackoff = domainLeft.get(before);
    const share = domainBackoff === undefined ? 1 : generalShare;
    const ours = domain.get(pair) ?? (domainBackoff ?? 0) * single;
    const theirs = general.get(pair) ?? (generalLeft.get(before) ?? 1) * single;
    mixed.set(pair, (1 - share) * ours + share * theirs);
  }
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
function backoffs(ngrams: ReadonlyMap<string, number>, lower: Counts): Counts {
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
