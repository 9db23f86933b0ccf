/**
 * What Twilio is to play, and how far it has got: pure, no socket, no clock.
 *
 * Twilio buffers whatever it is sent and knows neither pause nor position. So at most WINDOW_BYTES
 * are ever ahead of what is known to be played; every STEP_BYTES an own mark goes along, and its
 * return tells the position. Between two of them it is reckoned by the time. To pause is to clear
 * Twilio's buffer and to send again, later, what had not been played. One byte is one sample:
 *
 *            heard            sent                      end
 *   ───played──┼──at Twilio─────┼──────────here──────────┤
 *              ◀─ WINDOW_BYTES ─▶                          marks stand at a position between
 */
import { HoldfastError } from '../../domain/errors.ts';

/** 1 s ahead: enough for a slow network, little enough to forget. */
export const WINDOW_BYTES = 8_000;
/** 100 ms */
const STEP_BYTES = 800;
const BYTES_PER_MS = 8;
/** 3 minutes: far beyond any answer, small enough for a hundred calls. */
const MAX_QUEUED_BYTES = 1_440_000;

export interface PlayoutSink {
  /** At most STEP_BYTES; only valid during the call. */
  sendAudio(codes: Buffer): void;
  sendMark(name: string): void;
  sendClear(): void;
}

interface UserMark {
  readonly id: string;
  readonly at: number;
  sent: boolean;
}

export class TwilioPlayout {
  readonly #sink: PlayoutSink;
  /** Back to back from #base; what was heard is dropped from the front. */
  #chunks: Buffer[] = [];
  #base = 0;
  #heard = 0;
  #heardAtMs = 0;
  #sent = 0;
  #end = 0;
  #marks: UserMark[] = [];
  /** Bumped by everything that empties Twilio's buffer: the marks in it come back then, and were not heard. */
  #generation = 0;
  #paused = false;

  constructor(sink: PlayoutSink) {
    this.#sink = sink;
  }

  /**
   * @param codes μ-law; kept, not copied.
   * @throws HoldfastError limit_exceeded; nothing of it is queued then.
   */
  play(codes: Buffer, nowMs: number): void {
    if (this.#end - this.#heard + codes.length > MAX_QUEUED_BYTES)
      throw new HoldfastError('limit_exceeded', 'Too much audio is waiting for playback', { details: { maxBytes: MAX_QUEUED_BYTES } });
    if (codes.length === 0) return;
    this.#chunks.push(codes);
    this.#end += codes.length;
    this.#pump(nowMs);
  }

  mark(id: string, nowMs: number): void {
    this.#marks.push({ id, at: this.#end, sent: false });
    this.#pump(nowMs);
  }

  pause(nowMs: number): void {
    if (this.#paused) return;
    const position = this.#position(nowMs);
    this.#paused = true;
    if (this.#sent === this.#heard && !this.#marks.some(({ sent }) => sent)) return;
    this.#emptied();
    this.#reached(position, nowMs);
    this.#sent = position;
    for (const mark of this.#marks) mark.sent = false;
  }

  resume(nowMs: number): void {
    this.#paused = false;
    this.#pump(nowMs);
  }

  /** Drops everything, and ends a pause. */
  clear(): void {
    this.#emptied();
    this.#chunks = [];
    this.#marks = [];
    this.#base = this.#heard = this.#sent = this.#end;
    this.#paused = false;
  }

  /** A mark came back. @returns the user's ids whose audio was heard; usually none or one. */
  acknowledge(name: string, nowMs: number): string[] {
    const [generation, kind, rest] = split(name);
    if (generation !== this.#generation) return [];
    if (kind === 's') {
      const at = Number(rest);
      if (Number.isInteger(at) && at > this.#heard && at <= this.#sent) this.#reached(at, nowMs);
      this.#pump(nowMs);
      return [];
    }
    const index = kind === 'u' ? this.#marks.findIndex(({ id, sent }) => sent && id === rest) : -1;
    if (index < 0) return [];
    const reached = this.#marks.splice(0, index + 1);
    this.#reached(Math.max(this.#heard, reached.at(-1)?.at ?? 0), nowMs);
    this.#pump(nowMs);
    return reached.map(({ id }) => id);
  }

  /** How long ago the last mark should have come back; 0 while there is time for it. */
  overdueMs(nowMs: number): number {
    const lastStep = Math.floor(this.#sent / STEP_BYTES) * STEP_BYTES;
    const lastMark = this.#marks.findLast(({ sent }) => sent)?.at ?? 0;
    const awaited = Math.max(lastStep, lastMark);
    if (this.#paused || awaited <= this.#heard) return 0;
    return Math.max(0, nowMs - this.#heardAtMs - (awaited - this.#heard) / BYTES_PER_MS);
  }

  /** Never beyond a mark that has not come back. */
  #position(nowMs: number): number {
    const reckoned = this.#heard + Math.max(0, Math.floor((nowMs - this.#heardAtMs) * BYTES_PER_MS));
    const nextStep = (Math.floor(this.#heard / STEP_BYTES) + 1) * STEP_BYTES;
    const nextMark = this.#marks.find(({ sent, at }) => sent && at > this.#heard)?.at ?? Infinity;
    return Math.min(reckoned, this.#sent, nextStep, nextMark);
  }

  #reached(position: number, nowMs: number): void {
    this.#heard = position;
    this.#heardAtMs = nowMs;
    for (let first = this.#chunks[0]; first !== undefined && this.#base + first.length <= position; first = this.#chunks[0]) {
      this.#base += first.length;
      this.#chunks.shift();
    }
  }

  #emptied(): void {
    this.#generation += 1;
    this.#sink.sendClear();
  }

  #pump(nowMs: number): void {
    if (this.#paused) return;
    this.#sendMarks();
    while (this.#sent < Math.min(this.#end, this.#heard + WINDOW_BYTES)) {
      // It has run dry: what comes now is not played before it comes.
      this.#heardAtMs = Math.max(this.#heardAtMs, nowMs - (this.#sent - this.#heard) / BYTES_PER_MS);
      const step = (Math.floor(this.#sent / STEP_BYTES) + 1) * STEP_BYTES;
      const mark = this.#marks.find(({ sent }) => !sent)?.at ?? Infinity;
      const until = Math.min(this.#end, this.#heard + WINDOW_BYTES, step, mark);
      this.#sink.sendAudio(this.#slice(this.#sent, until));
      this.#sent = until;
      if (until === step) this.#sink.sendMark(`${this.#generation}:s:${until}`);
      this.#sendMarks();
    }
  }

  #sendMarks(): void {
    for (const mark of this.#marks) {
      if (mark.at > this.#sent) return;
      if (!mark.sent) this.#sink.sendMark(`${this.#generation}:u:${mark.id}`);
      mark.sent = true;
    }
  }

  #slice(from: number, until: number): Buffer {
    const parts: Buffer[] = [];
    let at = this.#base;
    for (const chunk of this.#chunks) {
      if (at >= until) break;
      if (at + chunk.length > from) parts.push(chunk.subarray(Math.max(0, from - at), until - at));
      at += chunk.length;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }
}

function split(name: string): [number, string, string] {
  const [generation = '', kind = '', ...rest] = name.split(':');
  return [Number(generation), kind, rest.join(':')];
}
