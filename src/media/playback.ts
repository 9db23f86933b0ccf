/**
 * What the agent is saying right now, as segments of text with their audio, and how much of it the
 * caller has heard. Marks lie in the audio every 200 ms; what was heard is what the marks say, never
 * what was sent.
 */
import type { MediaLeg } from './legs/leg.ts';

const FRAME_MS = 20;
const MARK_EVERY_MS = 200;

interface Segment {
  text: string;
  samples: number;
  heard: number;
  finished: boolean;
}

export interface SegmentWriter {
  /** PCM at the leg's rate, chunks of any size. */
  write(pcm: Int16Array): void;
  /** Samples written so far. */
  readonly samples: number;
  finish(): void;
  /** Ends it where it is; its words do not count as said, for they follow once more. */
  breakOff(): void;
}

/** Who has heard so much of a filler has understood it. */
const MOST_OF_A_FILLER = 0.6;

export class Playback {
  readonly #leg: MediaLeg;
  readonly #onAudible: () => void;
  readonly #onProgress: () => void;
  readonly #onQuiet: () => void;
  readonly #frame: number;
  readonly #markEvery: number;
  #segments: Segment[] = [];
  /** Distinguishes this speech's marks from those of one that was cut. */
  #generation = 0;
  #audible = false;
  /** Fillers whose end has not been heard. */
  readonly #fillers = new Map<string, () => void>();
  #filled = 0;
  #drained: PromiseWithResolvers<void> | null = null;

  /**
   * @param events onAudible: the caller hears the first frame of a speech, or the next one after onQuiet:
   *   all that was written is heard, and the speech is not over; onProgress: they heard more of it.
   */
  constructor(leg: MediaLeg, events: { readonly onAudible: () => void; readonly onProgress?: () => void; readonly onQuiet?: () => void }) {
    this.#leg = leg;
    this.#onAudible = events.onAudible;
    this.#onProgress = events.onProgress ?? (() => undefined);
    this.#onQuiet = events.onQuiet ?? (() => undefined);
    this.#frame = (leg.sampleRate * FRAME_MS) / 1_000;
    this.#markEvery = (leg.sampleRate * MARK_EVERY_MS) / 1_000;
  }

  /** Starts a new speech: a reply or a phrase. */
  begin(): void {
    this.#generation++;
    this.#segments = [];
    this.#audible = false;
    this.#drained = null;
  }

  /** Number of segments so far; pass it to heardText to ask only for later ones. */
  get segmentCount(): number {
    return this.#segments.length;
  }

  /** Written, and not yet heard by the marks. */
  get unheardMs(): number {
    const samples = this.#segments.reduce((sum, segment) => sum + segment.samples - segment.heard, 0);
    return (samples * 1_000) / this.#leg.sampleRate;
  }

  segment(text: string): SegmentWriter {
    const index = this.#segments.length;
    const segment: Segment = { text, samples: 0, heard: 0, finished: false };
    this.#segments.push(segment);
    const generation = this.#generation;
    const current = () => generation === this.#generation;
    let pending = new Int16Array(0);
    // The first mark comes after one frame: it says when the caller begins to hear this.
    let nextMark = this.#frame;
    const finish = () => {
      if (!current() || segment.finished) return;
      if (pending.length > 0) {
        this.#leg.play(pending);
        segment.samples += pending.length;
        pending = new Int16Array(0);
      }
      segment.finished = true;
      this.#leg.mark(`${generation}.${index}.${segment.samples}`);
      this.#settle();
    };
    const send = (pcm: Int16Array) => {
      for (let at = 0; at < pcm.length;) {
        const count = Math.min(nextMark - segment.samples, pcm.length - at);
        this.#leg.play(pcm.subarray(at, at + count));
        at += count;
        segment.samples += count;
        if (segment.samples < nextMark) continue;
        this.#leg.mark(`${generation}.${index}.${segment.samples}`);
        nextMark += this.#markEvery;
      }
    };
    return {
      get samples() {
        return segment.samples + pending.length;
      },
      write: (pcm) => {
        if (!current()) return;
        const joined = new Int16Array(pending.length + pcm.length);
        joined.set(pending);
        joined.set(pcm, pending.length);
        // Whole frames only, so that no mark makes the leg pad in the middle of a word.
        const whole = joined.length - (joined.length % this.#frame);
        pending = joined.slice(whole);
        send(joined.subarray(0, whole));
      },
      finish,
      breakOff: () => {
        segment.text = '';
        finish();
      },
    };
  }

  /**
   * Sound between speeches, or before the next clause of one: no words of the speech, and not stopped by
   * its beginning. `onHeard` comes when the caller has heard most of it: what follows then may cut the rest.
   */
  fill(pcm: Int16Array, onHeard: () => void): void {
    const id = `filler.${++this.#filled}`;
    const most = Math.ceil(pcm.length * MOST_OF_A_FILLER);
    const pieces = [
      { pcm: pcm.subarray(0, most), mark: `${id}.most`, onReached: onHeard },
      { pcm: pcm.subarray(most), mark: id, onReached: () => undefined },
    ];
    for (const piece of pieces) {
      this.#leg.play(piece.pcm);
      this.#fillers.set(piece.mark, piece.onReached);
      this.#leg.mark(piece.mark);
    }
  }

  /** Stops a filler where no speech is to be stopped. */
  hush(): void {
    if (this.#fillers.size > 0) this.#clear();
  }

  /** Resolves when the caller has heard everything written; never when the speech is cut. */
  drained(): Promise<void> {
    this.#drained ??= Promise.withResolvers<void>();
    this.#settle();
    return this.#drained.promise;
  }

  /** A mark came back from the leg. */
  reached(id: string): void {
    const filled = this.#fillers.get(id);
    if (filled !== undefined) {
      this.#fillers.delete(id);
      return filled();
    }
    const [generation, index, samples] = id.split('.').map(Number);
    if (generation !== this.#generation) return;
    const segment = this.#segments[index as number];
    if (segment === undefined) return;
    segment.heard = Math.max(segment.heard, samples as number);
    if (!this.#audible) {
      this.#audible = true;
      this.#onAudible();
    }
    this.#onProgress();
    this.#settle();
    // Marks lie so far apart: less than that may never get one before more is written.
    const unheard = this.#segments.reduce((sum, each) => sum + each.samples - each.heard, 0);
    if (this.#drained !== null || unheard >= this.#markEvery) return;
    this.#audible = false;
    this.#onQuiet();
  }

  /** The words the caller heard, cut at a word; of segments from `from` on. */
  heardText(from = 0): string {
    return this.#segments
      .slice(from)
      .map((segment) => heardPart(segment))
      .filter((text) => text !== '')
      .join(' ');
  }

  /** Drops everything; what was heard stays readable until begin(). */
  cut(): void {
    this.#generation++;
    this.#clear();
  }

  #clear(): void {
    this.#fillers.clear();
    this.#leg.clear();
  }

  #settle(): void {
    if (this.#drained === null) return;
    if (this.#segments.every((segment) => segment.finished && segment.heard >= segment.samples)) this.#drained.resolve();
  }
}

function heardPart(segment: Segment): string {
  if (segment.samples === 0 || segment.heard === 0) return '';
  if (segment.finished && segment.heard >= segment.samples) return segment.text;
  const words = segment.text.split(' ');
  return words.slice(0, Math.floor((words.length * segment.heard) / segment.samples)).join(' ');
}
