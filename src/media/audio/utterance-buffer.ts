/**
 * The caller's audio of the utterance in progress, with the pre-roll before speech was detected
 * (a VAD needs 100 ms to be sure, and the first consonant lies before that). Bounded: an utterance
 * longer than the limit keeps its most recent part.
 */
export const PRE_ROLL_MS = 400;
export const MAX_UTTERANCE_MS = 30_000;

export class UtteranceBuffer {
  readonly #preRoll: number;
  readonly #limit: number;
  #chunks: Int16Array[] = [];
  #samples = 0;
  #open = false;

  constructor(sampleRate: number) {
    this.#preRoll = (sampleRate * PRE_ROLL_MS) / 1_000;
    this.#limit = (sampleRate * MAX_UTTERANCE_MS) / 1_000;
  }

  push(pcm: Int16Array): void {
    this.#chunks.push(pcm.slice());
    this.#samples += pcm.length;
    this.#trim(this.#open ? this.#limit : this.#preRoll);
  }

  /** Speech began: from here on (and the pre-roll) everything is kept. */
  open(): void {
    this.#open = true;
  }

  /** The utterance so far, as one array. */
  snapshot(): Int16Array {
    const whole = new Int16Array(this.#samples);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }

  /** The turn is over; only the pre-roll of the next one stays. */
  close(): void {
    this.#open = false;
    this.#trim(this.#preRoll);
  }

  #trim(limit: number): void {
    let drop = 0;
    while (drop < this.#chunks.length && this.#samples - (this.#chunks[drop] as Int16Array).length >= limit) {
      this.#samples -= (this.#chunks[drop] as Int16Array).length;
      drop++;
    }
    if (drop > 0) this.#chunks.splice(0, drop);
  }
}
