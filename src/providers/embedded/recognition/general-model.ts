/**
 * How frequent English words and pairs of words are, read from pocketsphinx's own language model
 * (en-us.lm.bin), so that what callers say outside the receptionist's domain comes out as well.
 *
 * The file, little-endian ("trie" format of sphinxbase 5prealpha, order 3). It is keyed backwards:
 * below a word lie the words that came before it.
 *
 *   "Trie Language Model" order:u8 counts:u32[3] quantisation:u32=1
 *   tables:f32[3][65536]      log probabilities of pairs, their back-offs, log probabilities of triples
 *   unigrams: {logProbability:f32 backoff:f32 firstPair:u32}[counts[0] + 1]
 *   pairs, bit-packed: {before:W backoff:16 probability:16 next:N}[counts[1] + 1]
 *   triples, bit-packed                                            (not read)
 *   bytes:u32 words: zero-terminated, in the order of the unigrams
 */
const MAGIC = 'Trie Language Model';
const LOG_BASE = 1.0001;
const UNIGRAM_BYTES = 12;
const TABLE = 65_536;

export interface GeneralModel {
  readonly words: ReadonlyMap<string, number>;
  /** Two million in all; only those of which both words are wanted. */
  pairs(wanted: ReadonlySet<string>): Iterable<Pair>;
}

export interface Pair {
  readonly before: string;
  readonly word: string;
  /** P(word | before) */
  readonly probability: number;
}

/** @throws RangeError when the file is of another format. */
export function readGeneralModel(file: Buffer): GeneralModel {
  const order = file[MAGIC.length];
  if (file.toString('latin1', 0, MAGIC.length) !== MAGIC || order !== 3) throw new RangeError('not a trigram model of pocketsphinx');
  const [unigrams = 0, bigrams = 0, trigrams = 0] = [0, 1, 2].map((n) => file.readUInt32LE(MAGIC.length + 1 + 4 * n));
  const tables = MAGIC.length + 1 + 12 + 4;
  const firstUnigram = tables + 3 * TABLE * 4;
  const packed = firstUnigram + (unigrams + 1) * UNIGRAM_BYTES;
  const wordBits = bitsFor(unigrams);
  const pairBits = wordBits + 32 + bitsFor(trigrams);
  const strings = packed + packedBytes(bigrams, pairBits) + packedBytes(trigrams, wordBits + 16);
  if (file.readUInt32LE(tables - 4) !== 1 || strings + 4 > file.length)
    throw new RangeError('a model of pocketsphinx in an unknown layout');
  const names = file
    .toString('latin1', strings + 4, strings + 4 + file.readUInt32LE(strings))
    .split('\0')
    .slice(0, unigrams);
  const unigram = (i: number): number => firstUnigram + i * UNIGRAM_BYTES;
  const bits = (at: number, count: number): number => (file.readUInt32LE(packed + (at >>> 3)) >>> (at & 7)) & (2 ** count - 1);

  function* pairs(wanted: ReadonlySet<string>): Iterable<Pair> {
    const isWanted = Uint8Array.from(names, (name) => (wanted.has(name) ? 1 : 0));
    for (const [i, word] of names.entries()) {
      if (isWanted[i] === 0) continue;
      const end = file.readUInt32LE(unigram(i + 1) + 8);
      for (let pair = file.readUInt32LE(unigram(i) + 8); pair < end; pair++) {
        const before = bits(pair * pairBits, wordBits);
        if (isWanted[before] !== 1) continue;
        const logProbability = file.readFloatLE(tables + 4 * bits(pair * pairBits + wordBits + 16, 16));
        yield { before: names[before] ?? '', word, probability: LOG_BASE ** logProbability };
      }
    }
  }
  return { words: new Map(names.map((word, i) => [word, LOG_BASE ** file.readFloatLE(unigram(i))])), pairs };
}

const bitsFor = (value: number): number => 32 - Math.clz32(value);

const packedBytes = (entries: number, bits: number): number => Math.floor(((1 + entries) * bits + 7) / 8) + 8;
