/** pocketsphinx with a language model made for the calls it will hear. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { topics } from './domain-sentences.ts';
import { fillings, linePronunciations } from './domain-words.ts';
import { readVocabulary } from './general-vocabulary.ts';
import type { RecognizerProgram } from './process.ts';
import { unroll } from './sentence-generator.ts';
import { trigramModel } from './trigram-model.ts';

export interface PocketsphinxParts {
  /** pocketsphinx_continuous, perhaps behind a loader; pocketsphinx_batch lies beside it. */
  readonly command: readonly string[];
  /** Holds en-us/, en-us.lm.bin and cmudict-en-us.dict. */
  readonly modelDir: string;
}

/** Measured on 48 phrases of two voices (README.md); more of either costs time and gains nothing. */
const SENTENCES = 40_000;
const GENERAL_WORDS = 5_000;
const GENERAL_SHARE = 0.2;

/** Writes the language model and its dictionary into `directory`. @throws when the models are not there or unreadable. */
export async function prepareRecognizer({ command, modelDir }: PocketsphinxParts, directory: string): Promise<RecognizerProgram> {
  const dictionary = pronunciations(await readFile(join(modelDir, 'cmudict-en-us.dict'), 'latin1'));
  const sayable = (sentence: string): boolean => sentence.split(' ').every((word) => dictionary.has(word));
  const sentences = unroll({ topics, fillings }, SENTENCES).filter(sayable);
  const general = [...readVocabulary(await readFile(join(modelDir, 'en-us.lm.bin')))]
    .filter(([word]) => /^[a-z]/.test(word) && dictionary.has(word))
    .sort(([, a], [, b]) => b - a)
    .slice(0, GENERAL_WORDS);
  const model = join(directory, 'calls.arpa');
  const words = join(directory, 'calls.dict');
  await writeFile(model, trigramModel({ sentences, background: new Map(general), backgroundShare: GENERAL_SHARE }));
  const needed = new Set([...general.map(([word]) => word), ...sentences.flatMap((sentence) => sentence.split(' '))]);
  // A twentieth of the dictionary: a process starts in a third of the time.
  await writeFile(words, [...needed].flatMap((word) => dictionary.get(word) ?? []).join('\n') + '\n', 'latin1');
  const program = command.at(-1) ?? 'pocketsphinx_continuous';
  return {
    command: [...command.slice(0, -1), join(dirname(program), 'pocketsphinx_batch')],
    arguments: ['-hmm', join(modelDir, 'en-us'), '-dict', words, '-lm', model],
  };
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
