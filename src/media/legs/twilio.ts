/**
 * The caller's audio over a Twilio media stream. Twilio has opened the socket; its `start` says whose
 * call it is, and only then there can be a leg:
 *
 *   acceptTwilioStream(socket, { logger }): Promise<TwilioStream>   resolves at `start`
 *   stream.leg(events): MediaLeg                                    once; until then what is heard is lost
 *
 * Wire: twilio-wire.ts. What Twilio is to play: twilio-playout.ts.
 */
import { WebSocket } from 'ws';
import { HoldfastError } from '../../domain/errors.ts';
import { errorFacts, type Logger } from '../../telemetry.ts';
import { decodeG711, encodeG711, muLaw } from '../audio/g711.ts';
import { fillGaps } from './gap-filler.ts';
import type { MediaLeg, MediaLegEvents } from './leg.ts';
import { TwilioPlayout } from './twilio-playout.ts';
import {
  decodeTwilioMessage,
  encodeClear,
  encodeMark,
  encodeMedia,
  twilioWireLimits,
  type StreamStart,
  type TwilioMessage,
} from './twilio-wire.ts';

export interface TwilioStreamOptions {
  readonly logger: Logger;
  readonly startTimeoutMs?: number;
  /** How late a mark may come back before the stream counts as dead. */
  readonly overdueMs?: number;
}

export interface TwilioStream {
  readonly start: StreamStart;
  /** Twilio has said that the call is over, or led elsewhere; a socket that just closed says neither. */
  readonly stopped: boolean;
  /** It was this side that closed it. */
  readonly closedHere: boolean;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  leg(events: MediaLegEvents): MediaLeg;
  close(): Promise<void>;
}

const SAMPLE_RATE = 8_000;
const FRAME_SAMPLES = 160;
const START_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 1_000;
const WATCH_MS = 500;
const OVERDUE_MS = 5_000;
/** A sender that sends faults only is not Twilio. */
const MAX_FAULTS = 50;
/** Twilio reads, or the call has no voice: one second of audio is 11 KB here. */
const MAX_BACKLOG_BYTES = 262_144;
const MAX_MARK_BYTES = 60;

/** @throws HoldfastError invalid_request when no usable `start` comes in time; the socket is closed then. */
export async function acceptTwilioStream(socket: WebSocket, options: TwilioStreamOptions): Promise<TwilioStream> {
  const stream = new Stream(socket, options);
  try {
    await stream.started(options.startTimeoutMs ?? START_TIMEOUT_MS);
  } catch (error) {
    socket.terminate();
    throw error;
  }
  return stream;
}

class Stream implements TwilioStream, MediaLeg {
  readonly sampleRate = SAMPLE_RATE;
  stopped = false;
  closedHere = false;
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #logger: Logger;
  readonly #overdueMs: number;
  readonly #starting = Promise.withResolvers<StreamStart>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #playout: TwilioPlayout;
  readonly #codes = Buffer.alloc(twilioWireLimits.payloadBytes);
  readonly #pcm = new Int16Array(twilioWireLimits.payloadBytes);
  #start: StreamStart | null = null;
  #events: MediaLegEvents | null = null;
  #gaps: ReturnType<typeof fillGaps> | undefined;
  #watch: NodeJS.Timeout | undefined;
  #reason = 'closed by Twilio';
  #faults = 0;

  constructor(socket: WebSocket, { logger, overdueMs = OVERDUE_MS }: TwilioStreamOptions) {
    this.#socket = socket;
    this.#logger = logger;
    this.#overdueMs = overdueMs;
    this.closed = this.#closed.promise;
    this.#starting.promise.catch(() => undefined);
    this.#playout = new TwilioPlayout({
      sendAudio: (codes) => this.#send((sid) => encodeMedia(sid, codes)),
      sendMark: (name) => this.#send((sid) => encodeMark(sid, name)),
      sendClear: () => this.#send(encodeClear),
    });
    socket.on('message', (data: Buffer, isBinary) => this.#guard(() => this.#receive(data, isBinary)));
    socket.on('error', (error) => (this.#reason = error.message));
    socket.on('close', () => this.#onClose());
  }

  get start(): StreamStart {
    if (this.#start === null) throw new HoldfastError('internal', 'The stream has not started');
    return this.#start;
  }

  async started(timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => this.#starting.reject(notStarted('no start in time')), timeoutMs);
    await this.#starting.promise.finally(() => clearTimeout(timer));
  }

  leg(events: MediaLegEvents): MediaLeg {
    if (this.#events !== null) throw new HoldfastError('internal', 'A stream has one leg');
    if (!this.#open) throw new HoldfastError('channel_missing', 'The stream is closed');
    this.#events = events;
    this.#gaps = fillGaps({ frameSamples: FRAME_SAMPLES, onSilence: (pcm) => this.#guard(() => events.onAudio(pcm)) });
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    return this;
  }

  play(pcm: Int16Array): void {
    if (!this.#open) return;
    const codes = Buffer.allocUnsafe(pcm.length);
    encodeG711(muLaw, pcm, codes);
    this.#playout.play(codes, performance.now());
  }

  mark(id: string): void {
    if (Buffer.byteLength(JSON.stringify(id)) > MAX_MARK_BYTES)
      throw new HoldfastError('limit_exceeded', 'A mark id is too long for a media stream');
    if (this.#open) this.#playout.mark(id, performance.now());
  }

  pause(): void {
    if (this.#open) this.#playout.pause(performance.now());
  }

  resume(): void {
    if (this.#open) this.#playout.resume(performance.now());
  }

  clear(): void {
    if (this.#open) this.#playout.clear();
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#reason = 'closed';
    this.closedHere = true;
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS);
    await this.closed.finally(() => clearTimeout(timer));
  }

  /** A fault in one call's listener ends that call, not the process with all the others. */
  #guard(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#logger.error({ error: errorFacts(error) }, 'media leg: a listener failed');
      this.#give('internal error');
    }
  }

  get #open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  #send(encode: (streamSid: string) => string): void {
    if (!this.#open || this.#start === null) return;
    if (this.#socket.bufferedAmount > MAX_BACKLOG_BYTES) this.#give('Twilio does not read');
    else this.#socket.send(encode(this.#start.streamSid));
  }

  #give(reason: string): void {
    this.#reason = reason;
    this.#socket.terminate();
  }

  #look(): void {
    if (this.#playout.overdueMs(performance.now()) > this.#overdueMs) this.#give('Twilio does not play');
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const message: TwilioMessage = isBinary ? { kind: 'fault', fault: 'not_json' } : decodeTwilioMessage(data, this.#codes);
    if (message.kind === 'fault') return this.#onFault(message.fault);
    if (message.kind === 'start') return this.#onStart(message);
    // What comes before the start belongs to no call.
    if (this.#start === null) return;
    if (message.kind === 'media') this.#onAudio(message.bytes);
    else if (message.kind === 'dtmf') this.#events?.onDtmf(message.digit);
    else if (message.kind === 'stop') this.#onStop();
    else if (message.kind === 'mark') {
      for (const id of this.#playout.acknowledge(message.name, performance.now())) this.#events?.onMark(id);
    }
  }

  #onStart({ streamSid, accountSid, callSid, parameters }: StreamStart): void {
    if (this.#start !== null) return this.#onFault('fields');
    this.#start = { streamSid, accountSid, callSid, parameters };
    this.#starting.resolve(this.#start);
  }

  #onStop(): void {
    this.stopped = true;
    this.#reason = 'stopped by Twilio';
    this.#socket.close(1000);
    setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  #onAudio(bytes: number): void {
    if (this.#events === null) return;
    this.#gaps?.heard();
    decodeG711(muLaw, this.#codes.subarray(0, bytes), this.#pcm);
    for (let at = 0; at < bytes; at += FRAME_SAMPLES) this.#events.onAudio(this.#pcm.subarray(at, Math.min(bytes, at + FRAME_SAMPLES)));
  }

  #onFault(fault: string): void {
    this.#faults += 1;
    if (this.#faults === 1) this.#logger.warn({ event: 'twilio_stream_fault', fault }, 'A message of a media stream cannot be used');
    if (this.#start === null) this.#starting.reject(notStarted(fault));
    if (this.#faults > MAX_FAULTS) this.#give('too many faults');
  }

  #onClose(): void {
    clearInterval(this.#watch);
    this.#gaps?.stop();
    this.#starting.reject(notStarted(this.#reason));
    this.#closed.resolve();
    this.#events?.onClosed(this.#reason);
  }
}

const notStarted = (reason: string): HoldfastError => new HoldfastError('invalid_request', `The media stream did not start: ${reason}`);
