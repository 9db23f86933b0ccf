/** Speech recognition of whole utterances by a small pool of warm pocketsphinx processes. */
import { availableParallelism } from 'node:os';
import { ApiError } from '../api-error.ts';
import { makeScratchDirectory } from '../scratch-directory.ts';
import { RecognizerProcess } from './process.ts';
import { prepareRecognizer, type PocketsphinxParts } from './program.ts';

/** What the acoustic model was trained on. */
export const RECOGNIZER_RATE = 16_000;
/** Phrases waiting for a free process; beyond this the answer would come too late for a caller anyway. */
const MAX_WAITING = 200;

export interface Recognizer extends AsyncDisposable {
  /** Mono at RECOGNIZER_RATE → lower-case words; '' when nothing was understood. First come, first served. */
  recognize(pcm: Int16Array, signal: AbortSignal): Promise<string>;
  readonly load: { readonly processes: number; readonly waiting: number };
}

interface Waiting {
  readonly give: (process: RecognizerProcess) => void;
  readonly drop: (reason: unknown) => void;
}

/** Starts one process per core, so that twenty calls at once queue here instead of slowing each other down. */
export async function startRecognizer(parts: PocketsphinxParts, processes = availableParallelism()): Promise<Recognizer> {
  const scratch = await makeScratchDirectory('hearing');
  const program = await prepareRecognizer(parts, scratch.path).catch(async (error: unknown) => {
    await scratch[Symbol.asyncDispose]();
    throw error;
  });
  const all = Array.from({ length: processes }, (_, index) => new RecognizerProcess(program, scratch.path, index));
  const free = [...all];
  const waiting: Waiting[] = [];
  let disposed = false;
  try {
    await Promise.all(all.map((process) => process.start()));
  } catch (error) {
    await dispose();
    throw error;
  }

  function take(signal: AbortSignal): Promise<RecognizerProcess> {
    signal.throwIfAborted();
    const ready = free.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (waiting.length >= MAX_WAITING)
      throw new ApiError(429, 'Too many phrases are waiting to be recognised.', { code: 'rate_limit_exceeded' });
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal.reason);
      };
      const entry: Waiting = {
        give(process) {
          signal.removeEventListener('abort', leave);
          resolve(process);
        },
        drop(reason) {
          signal.removeEventListener('abort', leave);
          reject(reason);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.push(entry);
    });
  }

  function release(process: RecognizerProcess): void {
    const next = waiting.shift();
    if (next === undefined) free.push(process);
    else next.give(process);
  }

  async function dispose(): Promise<void> {
    disposed = true;
    for (const entry of waiting.splice(0)) entry.drop(new Error('The recogniser is closed'));
    await Promise.all(all.map((process) => process.stop()));
    await scratch[Symbol.asyncDispose]();
  }

  return {
    async recognize(pcm, signal) {
      if (disposed) throw new Error('The recogniser is closed');
      const process = await take(signal);
      try {
        return await process.recognize(pcm, signal);
      } finally {
        release(process);
      }
    },
    get load() {
      return { processes, waiting: waiting.length };
    },
    [Symbol.asyncDispose]: dispose,
  };
}
