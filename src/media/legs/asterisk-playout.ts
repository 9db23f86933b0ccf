/**
 * What is on its way to the PBX's playout queue: pure, no socket, no clock.
 *
 * chan_websocket drops media above 1,000 queued frames and only asks to stop (XOFF) at 900, which a
 * sender in a tight loop reads too late. So at most WINDOW_FRAMES are ever unplayed there: every
 * STEP_FRAMES an own mark goes along, and its return opens the window. That needs no clock, and is
 * right while paused.
 *
 *   play ──▶ remainder ──▶ queue ──(window open, no XOFF)──▶ PBX
 *   mark ──▶ pads the remainder to a whole frame, then stands in the queue behind it
 */
import { HoldfastError } from '../../domain/errors.ts';

export const WINDOW_FRAMES = 500;
const STEP_FRAMES = 50;
/** 100 ms to 200 ms of audio a message; the PBX closes the call above 65,535 bytes. */
const MESSAGE_FRAMES = 10;
/** Three minutes of slin16: far beyond any answer, small enough for a hundred calls. */
const MAX_QUEUED_BYTES = 5_760_000;

export interface PlayoutSink {
  /** Whole frames. */
  sendAudio(frames: Buffer): void;
  sendMark(correlationId: string): void;
}

type Entry = { readonly audio: Buffer; offset: number } | { readonly mark: string };

export class Playout {
  readonly #frameBytes: number;
  readonly #sink: PlayoutSink;
  #queue: Entry[] = [];
  #head = 0;
  #queuedBytes = 0;
  #remainder: Buffer = Buffer.alloc(0);
  /** Bumped by clear: marks of an older generation never come back to the user. */
  #generation = 0;
  #step = 0;
  #sinceStep = 0;
  #unacknowledged = 0;
  #stopped = false;

  constructor(frameBytes: number, sink: PlayoutSink) {
    this.#frameBytes = frameBytes;
    this.#sink = sink;
  }

  /** @throws HoldfastError limit_exceeded; nothing of `pcm` is queued then. */
  play(pcm: Int16Array): void {
    const bytes = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    if (this.#queuedBytes + bytes.length > MAX_QUEUED_BYTES) {
      throw new HoldfastError('limit_exceeded', 'Too much audio is waiting for playback', { details: { maxBytes: MAX_QUEUED_BYTES } });
    }
    // One copy per call: the caller may reuse its array, and the socket may send later.
    const joined = Buffer.concat([this.#remainder, bytes]);
    const whole = joined.length - (joined.length % this.#frameBytes);
    this.#remainder = joined.subarray(whole);
    if (whole > 0) this.#push({ audio: joined.subarray(0, whole), offset: 0 }, whole);
  }

  mark(id: string): void {
    if (this.#remainder.length > 0) {
      const padded = Buffer.alloc(this.#frameBytes);
      this.#remainder.copy(padded);
      this.#remainder = Buffer.alloc(0);
      this.#push({ audio: padded, offset: 0 }, padded.length);
    }
    this.#push({ mark: `${this.#generation}:u:${id}` }, 0);
  }

  /** Drops everything; returns the mark that tells when the PBX has dropped it too. */
  clear(): string {
    this.#queue = [];
    this.#head = 0;
    this.#queuedBytes = 0;
    this.#remainder = Buffer.alloc(0);
    this.#generation += 1;
    this.#sinceStep = 0;
    this.#unacknowledged = 0;
    this.#stopped = false;
    return `${this.#generation}:c:`;
  }

  xoff(): void {
    this.#stopped = true;
  }

  xon(): void {
    this.#stopped = false;
    this.#pump();
  }

  /** A mark came back. Returns the user's id, or undefined when the mark was ours or of before a clear. */
  acknowledge(correlationId: string): string | undefined {
    const [generation, kind, ...rest] = correlationId.split(':');
    if (generation !== String(this.#generation)) return undefined;
    if (kind === 'u') return rest.join(':');
    if (kind === 's') {
      this.#unacknowledged -= STEP_FRAMES;
      this.#pump();
    }
    // An XOFF that crossed our clear on the wire has no XON: the queue it spoke of is gone.
    if (kind === 'c') this.xon();
    return undefined;
  }

  #push(entry: Entry, bytes: number): void {
    this.#queue.push(entry);
    this.#queuedBytes += bytes;
    this.#pump();
  }

  #pump(): void {
    while (!this.#stopped && this.#head < this.#queue.length) {
      const entry = this.#queue[this.#head];
      if (entry === undefined) return;
      if ('mark' in entry) {
        this.#sink.sendMark(entry.mark);
        this.#head += 1;
        continue;
      }
      const room = Math.min(MESSAGE_FRAMES, STEP_FRAMES - this.#sinceStep, WINDOW_FRAMES - this.#unacknowledged);
      if (room <= 0) break;
      this.#sendFrames(entry, room);
      if (entry.offset === entry.audio.length) this.#head += 1;
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
  }

  #sendFrames(entry: { readonly audio: Buffer; offset: number }, room: number): void {
    const end = Math.min(entry.audio.length, entry.offset + room * this.#frameBytes);
    const frames = (end - entry.offset) / this.#frameBytes;
    this.#sink.sendAudio(entry.audio.subarray(entry.offset, end));
    this.#queuedBytes -= end - entry.offset;
    entry.offset = end;
    this.#sinceStep += frames;
    this.#unacknowledged += frames;
    if (this.#sinceStep < STEP_FRAMES) return;
    this.#sinceStep = 0;
    this.#step += 1;
    this.#sink.sendMark(`${this.#generation}:s:${this.#step}`);
  }
}
