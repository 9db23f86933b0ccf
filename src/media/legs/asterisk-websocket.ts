/**
 * The caller's audio over Asterisk's chan_websocket.
 *
 *   connectAsteriskWebsocketLeg({ url, events, logger }): Promise<MediaLeg>   resolves at MEDIA_START
 *
 * Wire: asterisk-control.ts. What may be in flight: asterisk-playout.ts.
 *
 * A remainder of less than one frame waits for more audio or for a mark: end each utterance with one.
 * Inbound audio is made continuous (see gap-filler.ts): a carrier that goes silent sends nothing.
 */
import { WebSocket } from 'ws';
import { HoldfastError } from '../../domain/errors.ts';
import { errorFacts, type Logger } from '../../telemetry.ts';
import { decodeEvent, encodeCommand, encodeMark, type Command } from './asterisk-control.ts';
import { Playout } from './asterisk-playout.ts';
import { fillGaps } from './gap-filler.ts';
import type { MediaLeg, MediaLegEvents } from './leg.ts';

export interface AsteriskWebsocketLegOptions {
  /** From Ari.createExternalMedia. */
  readonly url: string;
  readonly events: MediaLegEvents;
  readonly logger: Logger;
  readonly startTimeoutMs?: number;
  readonly pingIntervalMs?: number;
}

const START_TIMEOUT_MS = 3_000;
const CLOSE_TIMEOUT_MS = 1_000;
/** A PBX that hangs keeps its sockets open: a leg that is silent for two of these, after a ping, is lost. */
const PING_INTERVAL_MS = 500;
const MISSED_PINGS = 2;
const MAX_INBOUND_BYTES = 65_536;
/** Leaves room for the generation in front within a command of 128 bytes. */
const MAX_MARK_BYTES = 60;

/** @throws HoldfastError ari_failed (retryable) when the PBX does not start media in time. */
export async function connectAsteriskWebsocketLeg(options: AsteriskWebsocketLegOptions): Promise<MediaLeg> {
  const socket = new WebSocket(options.url, 'media', {
    handshakeTimeout: options.startTimeoutMs ?? START_TIMEOUT_MS,
    maxPayload: MAX_INBOUND_BYTES,
    perMessageDeflate: false,
  });
  const leg = new Leg(socket, options);
  try {
    await leg.started(options.startTimeoutMs ?? START_TIMEOUT_MS);
    leg.watch(options.pingIntervalMs ?? PING_INTERVAL_MS);
  } catch (error) {
    socket.terminate();
    throw error;
  }
  return leg;
}

class Leg implements MediaLeg {
  readonly #socket: WebSocket;
  readonly #events: MediaLegEvents;
  readonly #logger: Logger;
  readonly #start = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #playout: Playout | undefined;
  #gaps: ReturnType<typeof fillGaps> | undefined;
  #sampleRate: 8000 | 16000 = 16000;
  #reason = 'closed by the PBX';
  #unanswered = 0;
  #watchdog: NodeJS.Timeout | undefined;
  /** For the rare message whose bytes do not start on an even address. */
  #scratch = new Int16Array(0);

  constructor(socket: WebSocket, { events, logger }: AsteriskWebsocketLegOptions) {
    this.#socket = socket;
    this.#events = events;
    this.#logger = logger;
    this.#start.promise.catch(() => undefined);
    socket.on('message', (data: Buffer, isBinary) => {
      this.#unanswered = 0;
      this.#guard(() => (isBinary ? this.#onAudio(data) : this.#onControl(data)));
    });
    socket.on('pong', () => (this.#unanswered = 0));
    socket.on('error', (error) => {
      this.#reason = error.message;
    });
    socket.on('close', () => this.#onClose());
  }

  get sampleRate(): 8000 | 16000 {
    return this.#sampleRate;
  }

  async started(timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => this.#start.reject(notStarted('no MEDIA_START in time')), timeoutMs);
    await this.#start.promise.finally(() => clearTimeout(timer));
  }

  watch(intervalMs: number): void {
    let checkedMs = performance.now();
    this.#watchdog = setInterval(() => {
      const sinceMs = performance.now() - checkedMs;
      checkedMs += sinceMs;
      // It was this process that stood still: what the PBX sent meanwhile has not been read yet.
      if (sinceMs > 2 * intervalMs) this.#unanswered = 0;
      if (this.#unanswered >= MISSED_PINGS) {
        this.#reason = 'the PBX does not answer';
        this.#socket.terminate();
      }
      this.#unanswered += 1;
      if (this.#open) this.#socket.ping();
    }, intervalMs);
  }

  play(pcm: Int16Array): void {
    if (this.#open) this.#playout?.play(pcm);
  }

  mark(id: string): void {
    // Checked here: it may be sent much later, when nobody could be told.
    if (Buffer.byteLength(JSON.stringify(id)) > MAX_MARK_BYTES)
      throw new HoldfastError('limit_exceeded', 'A mark id is too long for the PBX');
    if (this.#open) this.#playout?.mark(id);
  }

  pause(): void {
    this.#command('PAUSE_MEDIA');
  }

  resume(): void {
    this.#command('CONTINUE_MEDIA');
  }

  clear(): void {
    if (this.#playout === undefined) return;
    const acknowledgement = this.#playout.clear();
    this.#command('FLUSH_MEDIA');
    this.#command('CONTINUE_MEDIA');
    this.#mark(acknowledgement);
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#reason = 'closed';
    this.#command('HANGUP');
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS);
    await this.#closed.promise.finally(() => clearTimeout(timer));
  }

  /** A fault in one call's listener ends that call, not the process with all the others. */
  #guard(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#logger.error({ error: errorFacts(error) }, 'media leg: a listener failed');
      this.#reason = 'internal error';
      this.#socket.terminate();
    }
  }

  get #open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  #command(command: Command): void {
    if (this.#open) this.#socket.send(encodeCommand(command));
  }

  #mark(correlationId: string): void {
    if (this.#open) this.#socket.send(encodeMark(correlationId));
  }

  #onAudio(bytes: Buffer): void {
    const samples = bytes.length >> 1;
    if (samples === 0) return;
    this.#gaps?.heard();
    if (bytes.byteOffset % 2 === 0) {
      this.#events.onAudio(new Int16Array(bytes.buffer, bytes.byteOffset, samples));
      return;
    }
    if (this.#scratch.length < samples) this.#scratch = new Int16Array(samples);
    Buffer.from(this.#scratch.buffer).set(bytes.subarray(0, samples * 2));
    this.#events.onAudio(this.#scratch.subarray(0, samples));
  }

  #onControl(data: Buffer): void {
    const event = decodeEvent(data.toString('utf8'));
    switch (event?.kind) {
      case 'start':
        this.#onStart(event.format, event.frameBytes);
        break;
      case 'mark': {
        const id = this.#playout?.acknowledge(event.correlationId);
        if (id !== undefined) this.#events.onMark(id);
        break;
      }
      case 'xoff':
        this.#playout?.xoff();
        break;
      case 'xon':
        this.#playout?.xon();
        break;
      case 'dtmf':
        this.#events.onDtmf(event.digit);
        break;
      case 'error':
        this.#logger.warn({ reason: event.reason }, 'media leg: the PBX reports an error');
        break;
      case undefined:
        break;
    }
  }

  #onStart(format: string, frameBytes: number): void {
    if ((format !== 'slin16' && format !== 'slin') || !Number.isInteger(frameBytes) || frameBytes <= 0 || frameBytes % 2 !== 0) {
      this.#start.reject(new HoldfastError('ari_failed', `The PBX offers a media format that cannot be used: ${format}`));
      return;
    }
    this.#sampleRate = format === 'slin16' ? 16000 : 8000;
    this.#playout = new Playout(frameBytes, {
      sendAudio: (frames) => this.#socket.send(frames),
      sendMark: (correlationId) => this.#mark(correlationId),
    });
    this.#gaps = fillGaps({ frameSamples: this.#sampleRate / 50, onSilence: (pcm) => this.#guard(() => this.#events.onAudio(pcm)) });
    this.#start.resolve();
  }

  #onClose(): void {
    clearInterval(this.#watchdog);
    this.#gaps?.stop();
    this.#start.reject(notStarted(this.#reason));
    this.#closed.resolve();
    if (this.#playout !== undefined) this.#events.onClosed(this.#reason);
  }
}

const notStarted = (reason: string): HoldfastError =>
  new HoldfastError('ari_failed', `The media socket did not start: ${reason}`, { retryable: true });
