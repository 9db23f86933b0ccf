/** One caller: a WebSocket that speaks Twilio Media Streams, and the script that it follows. */
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { FrameClock } from './frame-clock.ts';
import { connected, fromBot, idsOf, mark, media, start, stop, type StreamIds } from './media-stream.ts';
import { ReplyMeter } from './reply-meter.ts';
import { converse, unreached, type Frames, type TurnResult } from './script.ts';
import { textFrame } from './text-frame.ts';

export interface CallerOptions {
  readonly caller: number;
  readonly url: string;
  readonly turns: number;
  readonly bargeIns: number;
  readonly speech: readonly string[];
  readonly silence: () => string;
  readonly clock: FrameClock;
  readonly onResult: (result: TurnResult) => void;
}

export interface CallerEnd {
  /** Why the line went down before the script had ended; null: it did not. */
  readonly lost: string | null;
  readonly lastedMs: number;
}

const CONNECT_WITHIN_MS = 20_000;

/** Resolves when the call is over; never rejects. */
export async function call(options: CallerOptions): Promise<CallerEnd> {
  const { hostname, port } = new URL(options.url);
  const connecting = Promise.withResolvers<Socket>();
  const ws = new WebSocket(options.url, {
    perMessageDeflate: false,
    handshakeTimeout: CONNECT_WITHIN_MS,
    // Text that is measured by its bytes needs no second look.
    skipUTF8Validation: true,
    createConnection: () => {
      const socket = connect(Number(port), hostname);
      connecting.resolve(socket);
      return socket;
    },
  });
  const opened = await new Promise<string | null>((resolve) => {
    ws.once('open', () => resolve(null));
    ws.once('error', (error) => resolve(`connect: ${error.message}`));
  });
  if (opened !== null) {
    for (let turn = 0; turn < options.turns; turn++) options.onResult(unreached(options.caller, turn, opened));
    return { lost: opened, lastedMs: 0 };
  }
  return new Caller(ws, await connecting.promise, options).run();
}

class Caller {
  /** Reads, and ends the line. */
  readonly #ws: WebSocket;
  /** Below it, for what is said fifty times a second. */
  readonly #socket: Socket;
  readonly #options: CallerOptions;
  readonly #ids: StreamIds;
  readonly #meter = new ReplyMeter();
  readonly #frames: Frames;
  /** Timers of marks whose audio is still being played. */
  readonly #marks = new Map<string, NodeJS.Timeout>();
  /** Messages with a number, the first of which is start; frames among them. */
  #sequence = 1;
  #chunk = 0;
  #lost: string | null = null;

  constructor(ws: WebSocket, socket: Socket, options: CallerOptions) {
    this.#ws = ws;
    this.#socket = socket;
    this.#options = options;
    this.#ids = idsOf(options.caller);
    this.#frames = converse({ ...options, meter: this.#meter, lost: () => this.#lost });
  }

  async run(): Promise<CallerEnd> {
    const startedMs = performance.now();
    this.#ws.on('message', (message) => this.#receive(message as Buffer));
    this.#ws.on('error', () => undefined);
    this.#ws.once('close', (code) => (this.#lost ??= `closed (${code})`));
    this.#ws.send(connected());
    this.#ws.send(start(this.#ids));
    const lost = await this.#speak();
    const lastedMs = performance.now() - startedMs;
    for (const timer of this.#marks.values()) clearTimeout(timer);
    this.#marks.clear();
    if (lost === null) this.#ws.send(stop(this.#ids, ++this.#sequence));
    this.#ws.close(1000);
    return { lost, lastedMs };
  }

  /** One frame a tick until the script ends. */
  #speak(): Promise<string | null> {
    return new Promise((resolve) => {
      let frame = this.#frames.next(0);
      const end = this.#options.clock.every(this.#options.caller, () => {
        if (frame.done === true) return;
        const sentMs = performance.now();
        if (this.#lost === null) this.#send(frame.value);
        frame = this.#frames.next(sentMs);
        if (frame.done !== true) return;
        end();
        resolve(this.#lost);
      });
    });
  }

  #send(payload: string): void {
    const { streamSid } = this.#ids;
    this.#socket.write(textFrame(media({ streamSid, sequence: ++this.#sequence, chunk: ++this.#chunk, payload })));
  }

  #receive(message: Buffer): void {
    const atMs = performance.now();
    const event = fromBot(message);
    if (event === null) return;
    if (event.kind === 'media') return this.#meter.frame(atMs, event.durationMs);
    if (event.kind === 'mark') return this.#playUpTo(event.name, this.#meter.playedMs - atMs);
    this.#meter.clear(atMs);
    // The carrier gives back at once what now will never be played.
    for (const [name, timer] of this.#marks) {
      clearTimeout(timer);
      this.#reached(name);
    }
  }

  #playUpTo(name: string, afterMs: number): void {
    this.#marks.set(
      name,
      setTimeout(() => this.#reached(name), Math.max(0, Math.ceil(afterMs))),
    );
  }

  #reached(name: string): void {
    this.#marks.delete(name);
    if (this.#lost === null) this.#ws.send(mark(this.#ids.streamSid, ++this.#sequence, name));
  }
}
