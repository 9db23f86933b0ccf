/**
 * How frequent English words are, read from pocketsphinx's own language model (en-us.lm.bin), so
 * that what callers say outside the receptionist's domain still comes out as the words they said.
 *
 * The file, little-endian ("trie" format of sphinxbase 5prealpha, order 3):
 *
 *   "Trie Language Model" order:u8 counts:u32[3] quantisation:u32=1
 *   tables:f32[3 * 65536]                          (probabilities and back-offs of longer n-grams)
 *   unigrams: {logProbability:f32 backoff:f32 next:u32}[counts[0] + 1]
 *   bigrams, trigrams: bit-packed                  (not read)
 *   bytes:u32 words: zero-terminated, in the order of the unigrams
 */
const MAGIC = 'Trie Language Model';
const LOG_BASE = 1.0001;
const UNIGRAM_BYTES = 12;

/** Word → probability. @throws RangeError when the file is of another format. */
export function readVocabulary(file: Buffer): Map<string, number> {
  const order = file[MAGIC.length];
  if (file.toString('latin1', 0, MAGIC.length) !== MAGIC || order !== 3) throw new RangeError('not a trigram model of pocketsphinx');
  const counts = [0, 1, 2].map((n) => file.readUInt32LE(MAGIC.length + 1 + 4 * n));
  const [unigrams = 0, bigrams = 0, trigrams = 0] = counts;
  const quantisation = MAGIC.length + 1 + 12;
  const firstUnigram = quantisation + 4 + 3 * 65_536 * 4;
  const wordBits = bitsFor(unigrams);
  const packed = packedBytes(bigrams, wordBits + 32 + bitsFor(trigrams)) + packedBytes(trigrams, wordBits + 16);
  const strings = firstUnigram + (unigrams + 1) * UNIGRAM_BYTES + packed;
  if (file.readUInt32LE(quantisation) !== 1 || strings + 4 > file.length) throw new RangeError('a model of pocketsphinx in an unknown layout');
  const words = file.toString('latin1', strings + 4, strings + 4 + file.readUInt32LE(strings)).split('\0');
  const probabilities = new Map<string, number>();
  for (let i = 0; i < unigrams; i++) probabilities.set(words[i] ?? '', LOG_BASE ** file.readFloatLE(firstUnigram + i * UNIGRAM_BYTES));
  probabilities.delete('');
  return probabilities;
}

const bitsFor = (value: number): number => 32 - Math.clz32(value);

const packedBytes = (entries: number, bits: number): number => Math.floor(((1 + entries) * bits + 7) / 8) + 8;
