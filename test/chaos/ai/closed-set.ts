/**
 * Recognises sentences out of a known set, by how they sound: of every stretch that was heard it says
 * which known sentence it is, or nothing. It cannot understand anything else, but it never gets the
 * words wrong and costs a few milliseconds, so that what is measured is Holdfast and not a recogniser.
 */
import { BANDS, framesOf, HOP_MS, pictureOf, type Picture } from './spectrum.ts';

export interface Found {
  readonly text: string;
  /** Within the audio. */
  readonly startMs: number;
  readonly endMs: number;
  /** Correlation of the two pictures, at most 1. */
  readonly likeness: number;
}

/** The same words reach 0.9 and more, other words stay below 0.7. */
const SAME_WORDS = 0.82;
/** Sentences that follow each other may share so much. */
const OVERLAP_FRAMES = 6;
/** Every second frame is compared while looking for the place, all of them there. */
const COARSE = 4;

interface Known {
  readonly text: string;
  readonly picture: Picture;
}

export class ClosedSet {
  readonly #known = new Map<string, Known>();

  /** @param pcm 16 kHz mono, the text as it will be heard */
  learn(key: string, text: string, pcm: Int16Array): void {
    if (!this.#known.has(key)) this.#known.set(key, { text, picture: pictureOf(pcm) });
  }

  get size(): number {
    return this.#known.size;
  }

  /** Every known sentence that was heard from its beginning to its end, in order. */
  find(pcm: Int16Array): Found[] {
    const heard = pictureOf(pcm);
    const matches = [...this.#known.values()].flatMap((known) => {
      const place = bestPlace(heard, known.picture);
      return place === null || place.likeness < SAME_WORDS ? [] : [{ ...known, ...place, frames: framesOf(known.picture) }];
    });
    // The likeliest first; a longer sentence wins over a part of it that is one of its own.
    matches.sort((a, b) => b.likeness * weight(b.frames) - a.likeness * weight(a.frames));
    const taken: typeof matches = [];
    for (const match of matches) if (taken.every((other) => apart(match, other))) taken.push(match);
    return taken
      .sort((a, b) => a.frame - b.frame)
      .map(({ text, frame, frames, likeness }) => ({ text, startMs: frame * HOP_MS, endMs: (frame + frames) * HOP_MS, likeness }));
  }
}

/** A short sentence resembles something by chance more easily. */
const weight = (frames: number): number => 1 - 4 / (frames + 20);

function apart(a: { frame: number; frames: number }, b: { frame: number; frames: number }): boolean {
  return a.frame + a.frames <= b.frame + OVERLAP_FRAMES || b.frame + b.frames <= a.frame + OVERLAP_FRAMES;
}

function bestPlace(heard: Picture, pattern: Picture): { frame: number; likeness: number } | null {
  const last = framesOf(heard) - framesOf(pattern);
  if (last < -2 || framesOf(pattern) === 0) return null;
  let best = { frame: 0, likeness: -1 };
  for (let frame = 0; frame <= Math.max(0, last); frame += 2) {
    const likeness = likenessAt(heard, pattern, { frame, step: COARSE });
    if (likeness > best.likeness) best = { frame, likeness };
  }
  const near = best.frame;
  best = { frame: near, likeness: -1 };
  for (let frame = Math.max(0, near - 2); frame <= Math.min(Math.max(0, last), near + 2); frame++) {
    const likeness = likenessAt(heard, pattern, { frame, step: 1 });
    if (likeness > best.likeness) best = { frame, likeness };
  }
  return best;
}

/** Correlation of the two pictures over all bands and frames. */
function likenessAt(heard: Picture, pattern: Picture, { frame, step }: { frame: number; step: number }): number {
  const frames = Math.min(framesOf(pattern), framesOf(heard) - frame);
  let [sumA, sumB, sumAA, sumBB, sumAB, count] = [0, 0, 0, 0, 0, 0];
  for (let at = 0; at < frames; at += step) {
    for (let band = 0; band < BANDS; band++) {
      const a = heard[(frame + at) * BANDS + band] ?? 0;
      const b = pattern[at * BANDS + band] ?? 0;
      sumA += a;
      sumB += b;
      sumAA += a * a;
      sumBB += b * b;
      sumAB += a * b;
      count += 1;
    }
  }
  const spread = Math.sqrt((count * sumAA - sumA ** 2) * (count * sumBB - sumB ** 2));
  return spread === 0 ? 0 : (count * sumAB - sumA * sumB) / spread;
}
