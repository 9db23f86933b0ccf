/** flite as a child process, one per sentence: 15 ms to start, 15 ms for a second of speech. */
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { decodeWav, type PcmAudio } from '../../wav.ts';
import { makeScratchDirectory } from '../scratch-directory.ts';

export interface Voices extends AsyncDisposable {
  /** One sentence, raw as flite makes it. @throws the signal's reason, or Error when flite fails. */
  speak(sentence: string, voice: FliteVoice, signal: AbortSignal): Promise<PcmAudio>;
}

export type FliteVoice = 'slt' | 'rms' | 'awb' | 'kal16';

/** OpenAI's voice names → flite's four; flite's own names work too. Anything else speaks as slt. */
const openAIVoices: Readonly<Record<string, FliteVoice>> = {
  alloy: 'slt',
  ash: 'rms',
  ballad: 'awb',
  coral: 'slt',
  echo: 'rms',
  fable: 'awb',
  nova: 'slt',
  onyx: 'rms',
  sage: 'slt',
  shimmer: 'slt',
  verse: 'awb',
  rms: 'rms',
  awb: 'awb',
  kal16: 'kal16',
};

export const voiceFor = (name: string): FliteVoice => openAIVoices[name.toLowerCase()] ?? 'slt';

const TIMEOUT_MS = 20_000;
const run = promisify(execFile);

/** @param command flite and what must come before its arguments. */
export async function startFlite(command: readonly string[]): Promise<Voices> {
  const [program = 'flite', ...fixed] = command;
  const scratch = await makeScratchDirectory('speech');
  let made = 0;
  return {
    async speak(sentence, voice, signal) {
      signal.throwIfAborted();
      // Files: flite seeks in its output, and what is said does not belong into the list of processes.
      const [text, sound] = [++made].flatMap((n) => [join(scratch.path, `${n}.txt`), join(scratch.path, `${n}.wav`)]) as [string, string];
      try {
        await writeFile(text, sentence, { mode: 0o600 });
        await run(program, [...fixed, '-voice', voice, '-f', text, '-o', sound], { signal, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
        return decodeWav(await readFile(sound));
      } catch (error) {
        signal.throwIfAborted();
        throw new Error('flite failed', { cause: error });
      } finally {
        await Promise.all([text, sound].map((file) => rm(file, { force: true })));
      }
    },
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}
