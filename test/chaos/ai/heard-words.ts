/**
 * The caller's understanding: what the agent said, by ear alone, so that a caller goes on
 * whatever of Holdfast is down.
 */
import type { WordSource, AgentWords } from '../../../setup/demo/caller.ts';
import { createListener } from '../../../setup/demo/hear.ts';
import type { Found } from './closed-set.ts';

const RATE = 16_000;
/** Older than this nothing is listened to again. */
const LONGEST_MS = 30_000;
/** Words are looked for when the agent pauses. */
const PAUSE_MS = 250;

export interface EarOptions {
  readonly heard: (pcm: Int16Array) => Promise<Found[]>;
  readonly now?: () => number;
}

export class Ear {
  readonly #options: EarOptions;
  readonly #listener = createListener(RATE);
  readonly #now: () => number;
  #pieces: Int16Array[] = [];
  /** Of the first sample kept, and of the first one not judged yet; in samples since the answer. */
  #keptFrom = 0;
  #judgedTo = 0;
  #length = 0;
  #lastPushMs = 0;
  #quietSinceMs = 0;
  #news = false;

  constructor(options: EarOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  push(pcm: Int16Array): void {
    this.#pieces.push(pcm.slice());
    this.#length += pcm.length;
    this.#lastPushMs = this.#now();
    for (const { kind } of this.#listener.push(pcm)) {
      if (kind === 'on') this.#news = true;
      else this.#quietSinceMs = this.#now();
    }
    while (this.#length - this.#keptFrom > (LONGEST_MS * RATE) / 1_000) this.#keptFrom += this.#pieces.shift()?.length ?? 0;
  }

  words(onWords: (words: AgentWords) => void): WordSource {
    let [asking, stopped] = [false, false];
    return {
      ask: () => {
        if (asking || stopped || !this.#news || this.#listener.speaking || this.#now() - this.#quietSinceMs < PAUSE_MS) return;
        asking = true;
        this.#news = false;
        void this.#listen()
          .then((words) => void (stopped || words.forEach(onWords)))
          .catch(() => undefined)
          .finally(() => (asking = false));
      },
      stop: () => void (stopped = true),
    };
  }

  async #listen(): Promise<AgentWords[]> {
    const from = Math.max(this.#keptFrom, this.#judgedTo);
    const pcm = this.#copy(from);
    const clockMs = this.#lastPushMs - ((this.#length - from) * 1_000) / RATE;
    const found = await this.#options.heard(pcm);
    const last = found.at(-1);
    if (last !== undefined) this.#judgedTo = from + Math.round((last.endMs * RATE) / 1_000) - RATE / 10;
    return found.map(({ text, startMs }) => ({ text, startedAtMs: clockMs + startMs }));
  }

  #copy(from: number): Int16Array {
    const pcm = new Int16Array(this.#length - from);
    let at = this.#keptFrom - from;
    for (const piece of this.#pieces) {
      if (at + piece.length > 0) pcm.set(at < 0 ? piece.subarray(-at) : piece, Math.max(0, at));
      at += piece.length;
    }
    return pcm;
  }
}
