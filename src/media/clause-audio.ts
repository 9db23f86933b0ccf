/**
 * The sound of one clause on its way to playback, over as many providers as it takes. Synthesis runs
 * ahead of speech; what is not needed yet is kept here, so that a clause that breaks off can still be
 * spoken as a whole by another voice. Once it is being played, the same voice goes on where it broke
 * off, and another voice begins the clause again: two voices cannot share a word.
 */
import type { Playback, SegmentWriter } from './playback.ts';

/** With so much still to be heard before it, a clause can wait. Above the interval of marks and of chunks. */
const NEEDED_BELOW_MS = 800;

export class ClauseAudio {
  readonly #playback: Playback;
  readonly #text: string;
  #segment: SegmentWriter;
  #voice: string | null = null;
  #kept: Int16Array[] = [];
  #keptSamples = 0;
  /** Samples of the present try that are there already. */
  #skip = 0;

  constructor(playback: Playback, text: string) {
    this.#playback = playback;
    this.#text = text;
    this.#segment = playback.segment(text);
  }

  /** A try gives its first sound. @param voice who speaks; null where there is only one. */
  begin(voice: string | null): void {
    if (voice === this.#voice || this.#segment.samples + this.#keptSamples === 0) this.#skip = this.#segment.samples + this.#keptSamples;
    else this.#startAgain();
    this.#voice = voice;
  }

  /** PCM at the leg's rate. */
  write(pcm: Int16Array): void {
    const fresh = pcm.subarray(Math.min(this.#skip, pcm.length));
    this.#skip -= pcm.length - fresh.length;
    if (fresh.length === 0) return;
    this.#kept.push(fresh);
    this.#keptSamples += fresh.length;
    if (this.#playback.unheardMs < NEEDED_BELOW_MS) this.#handOver();
  }

  finish(): void {
    this.#handOver();
    this.#segment.finish();
  }

  #handOver(): void {
    for (const pcm of this.#kept) this.#segment.write(pcm);
    this.#kept = [];
    this.#keptSamples = 0;
  }

  #startAgain(): void {
    this.#kept = [];
    this.#keptSamples = 0;
    this.#skip = 0;
    if (this.#segment.samples === 0) return;
    this.#segment.breakOff();
    this.#segment = this.#playback.segment(this.#text);
  }
}
