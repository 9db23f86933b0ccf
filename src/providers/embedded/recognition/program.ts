/** pocketsphinx with a language model made for the calls it will hear. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { topics } from './domain-sentences.ts';
import { fillings, linePronunciations } from './domain-words.ts';
import { readGeneralModel, type GeneralModel } from './general-model.ts';
import type { RecognizerProgram } from './process.ts';
import { unroll } from './sentence-generator.ts';
import { trigramModel } from './trigram-model.ts';

export interface PocketsphinxParts {
  /** pocketsphinx_continuous, perhaps behind a loader; pocketsphinx_batch lies beside it. */
  readonly command: readonly string[];
  /** Holds en-us/, en-us.lm.bin and cmudict-en-us.dict. */
  readonly modelDir: string;
}

/**
 * Two Gaussians of four, and no second pass: two fifths less CPU for the same words. On 34 phrases the
 * word errors went from 1.8 to 1.8 % (rms, 16 kHz), 8.7 to 7.8 % (slt, 16 kHz), 6.0 to 6.4 % (rms, 8 kHz).
 */
const FASTER = ['-topn', '2', '-fwdflat', 'no'];
/** Measured (README.md); more of any costs time and gains little. */
const SENTENCES = 40_000;
const GENERAL_WORDS = 6_000;
/** What a pair must tell beyond its words alone (nats, by frequency); leaves some 150,000 pairs. */
const LEAST_GAIN = 4e-7;
const GENERAL_SHARE = 0.2;

/** Writes the language model and its dictionary into `directory`. @throws when the models are not there or unreadable. */
export async function prepareRecognizer({ command, modelDir }: PocketsphinxParts, directory: string): Promise<RecognizerProgram> {
  const dictionary = pronunciations(await readFile(join(modelDir, 'cmudict-en-us.dict'), 'latin1'));
  const sayable = (sentence: string): boolean => sentence.split(' ').every((word) => dictionary.has(word));
  const sentences = unroll({ topics, fillings }, SENTENCES).filter(sayable);
  const general = everyday(readGeneralModel(await readFile(join(modelDir, 'en-us.lm.bin'))), dictionary);
  const model = join(directory, 'calls.arpa');
  const words = join(directory, 'calls.dict');
  await writeFile(model, trigramModel({ sentences, general, generalShare: GENERAL_SHARE }));
  const needed = new Set([...general.words.keys(), ...sentences.flatMap((sentence) => sentence.split(' '))]);
  // A twentieth of the dictionary: a process starts in a third of the time.
  await writeFile(words, [...needed].flatMap((word) => dictionary.get(word) ?? []).join('\n') + '\n', 'latin1');
  const program = command.at(-1) ?? 'pocketsphinx_continuous';
  return {
    command: [...command.slice(0, -1), join(dirname(program), 'pocketsphinx_batch')],
    arguments: ['-hmm', join(modelDir, 'en-us'), '-dict', words, '-lm', model, ...FASTER],
  };
}

/** The most frequent words, and the pairs of them that tell something beyond the words alone. */
function everyday(
  model: GeneralModel,
  dictionary: ReadonlyMap<string, unknown>,
): { words: Map<string, number>; pairs: Map<string, number> } {
  const sayable = [...model.words].filter(([word]) => word === '</s>' || (/^[a-z]/.test(word) && dictionary.has(word)));
  const words = new Map(sayable.sort(([, a], [, b]) => b - a).slice(0, GENERAL_WORDS));
  const pairs = new Map<string, number>();
  for (const { before, word, probability } of model.pairs(new Set([...words.keys(), '<s>']))) {
    // Every sentence begins, as often as it ends.
    const often = words.get(before) ?? words.get('</s>') ?? 0;
    const gain = often * probability * Math.log(probability / (words.get(word) ?? 1));
    if (gain > LEAST_GAIN) pairs.set(`${before} ${word}`, probability);
  }
  return { words, pairs };
}

/** Word → its lines in the dictionary; "either(2) IY DH ER" is a second way to say "either". */
function pronunciations(text: string): Map<string, string[]> {
  const byWord = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const word = /^([^\s(]+)(?:\(\d+\))?\s/.exec(line)?.[1];
    if (word === undefined) continue;
    const lines = byWord.get(word);
    if (lines === undefined) byWord.set(word, [line]);
    else lines.push(line);
  }
  for (const [word, sounds] of Object.entries(linePronunciations)) {
    const lines = byWord.get(word);
    for (const sound of sounds) lines?.push(`${word}(${lines.length + 1}) ${sound}`);
  }
  return byWord;
}
