/**
 * The caller's audio over Asterisk's chan_websocket.
 *
 *   connectAsteriskWebsocketLeg({ url, events, logger }): Promise<MediaLeg>   resolves at MEDIA_START
 *
 * Wire (subprotocol `media`, the PBX is the server, transport_data f(json)):
 *
 *   ◀ text   {"event":"MEDIA_START","format":"slin16","optimal_frame_size":640,"ptime":20,…}
 *   ◀ binary 640 bytes = 20 ms = 320 samples, signed 16-bit little-endian, no timestamp
 *   ▶ binary n × 640 bytes (a remainder would be dropped), up to 65,535
 *   ▶ text   {"command":"MARK_MEDIA","correlation_id":"3:u:m-17"}       at most 128 bytes, else dropped silently
 *   ◀ text   {"event":"MEDIA_MARK_PROCESSED","correlation_id":"3:u:m-17"}
 *   ▶ text   {"command":"PAUSE_MEDIA"} {"command":"CONTINUE_MEDIA"}
 *   ▶ text   {"command":"FLUSH_MEDIA"}  drops audio and marks, answers nothing, leaves a pause on
 *   ◀ text   {"event":"MEDIA_XOFF"} {"event":"MEDIA_XON"} {"event":"DTMF_END","digit":"5"} {"event":"ERROR",…}
 *   ▶ text   {"command":"HANGUP"}
 *
 * A remainder of less than one frame waits for more audio or for a mark: end each utterance with one.
 * Inbound audio is made continuous (see gap-filler.ts): a carrier that goes silent sends nothing.
 */
import { WebSocket, type RawData } from 'ws';
import { HoldfastError } from '../../domain/errors.ts';
import type { Logger } from '../../telemetry.ts';
import { Playout } from './asterisk-playout.ts';
import { fillGaps } from './gap-filler.ts';
import type { MediaLeg, MediaLegEvents } from './leg.ts';

export interface AsteriskWebsocketLegOptions {
  /** From Ari.createExternalMedia. */
  readonly url: string;
  readonly events: MediaLegEvents;
  readonly logger: Logger;
  readonly startTimeoutMs?: number;
}

const START_TIMEOUT_MS = 3_000;
const CLOSE_TIMEOUT_MS = 1_000;
const MAX_COMMAND_BYTES = 128;
const MAX_INBOUND_BYTES = 65_536;

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
  } catch (error) {
    socket.terminate();
    throw error;
  }
  return leg;
}

type Control = { readonly event: string } & Record<string, unknown>;

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
  /** For the rare message whose bytes do not start on an even address. */
  #scratch = new Int16Array(0);

  constructor(socket: WebSocket, { events, logger }: AsteriskWebsocketLegOptions) {
    this.#socket = socket;
    this.#events = events;
    this.#logger = logger;
    this.#start.promise.catch(() => undefined);
    socket.on('message', (data, isBinary) => (isBinary ? this.#onAudio(data) : this.#onControl(data)));
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

  play(pcm: Int16Array): void {
    if (this.#open) this.#playout?.play(pcm);
  }

  mark(id: string): void {
    if (this.#open) this.#playout?.mark(id);
  }

  pause(): void {
    this.#command({ command: 'PAUSE_MEDIA' });
  }

  resume(): void {
    this.#command({ command: 'CONTINUE_MEDIA' });
  }

  clear(): void {
    if (this.#playout === undefined) return;
    const acknowledgement = this.#playout.clear();
    this.#command({ command: 'FLUSH_MEDIA' });
    this.#command({ command: 'CONTINUE_MEDIA' });
    this.#command({ command: 'MARK_MEDIA', correlation_id: acknowledgement });
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#reason = 'closed';
    this.#command({ command: 'HANGUP' });
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS);
    await this.#closed.promise.finally(() => clearTimeout(timer));
  }

  get #open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  #command(command: { readonly command: string; readonly correlation_id?: string }): void {
    if (!this.#open) return;
    const text = JSON.stringify(command);
    if (Buffer.byteLength(text) > MAX_COMMAND_BYTES) throw new HoldfastError('limit_exceeded', 'A mark id is too long for the PBX');
    this.#socket.send(text);
  }

  #onAudio(data: RawData): void {
    const bytes = data as Buffer;
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

  #onControl(data: RawData): void {
    const control = parseControl(data);
    switch (control?.event) {
      case 'MEDIA_START':
        this.#onStart(control);
        break;
      case 'MEDIA_MARK_PROCESSED': {
        const id = this.#playout?.acknowledge(String(control['correlation_id']));
        if (id !== undefined) this.#events.onMark(id);
        break;
      }
      case 'MEDIA_XOFF':
        this.#playout?.xoff();
        break;
      case 'MEDIA_XON':
        this.#playout?.xon();
        break;
      case 'DTMF_END':
        this.#events.onDtmf(String(control['digit']));
        break;
      case 'ERROR':
        this.#logger.warn({ reason: control['error_text'] }, 'media leg: the PBX reports an error');
        break;
      default:
        break;
    }
  }

  #onStart(control: Control): void {
    const format = String(control['format']);
    const frameBytes = Number(control['optimal_frame_size']);
    if ((format !== 'slin16' && format !== 'slin') || !Number.isInteger(frameBytes) || frameBytes <= 0 || frameBytes % 2 !== 0) {
      this.#start.reject(new HoldfastError('ari_failed', `The PBX offers a media format that cannot be used: ${format}`));
      return;
    }
    this.#sampleRate = format === 'slin16' ? 16000 : 8000;
    this.#playout = new Playout(frameBytes, {
      sendAudio: (frames) => this.#socket.send(frames),
      sendMark: (correlationId) => this.#command({ command: 'MARK_MEDIA', correlation_id: correlationId }),
    });
    this.#gaps = fillGaps({ frameSamples: this.#sampleRate / 50, onSilence: (pcm) => this.#events.onAudio(pcm) });
    this.#start.resolve();
  }

  #onClose(): void {
    this.#gaps?.stop();
    this.#start.reject(notStarted(this.#reason));
    this.#closed.resolve();
    if (this.#playout !== undefined) this.#events.onClosed(this.#reason);
  }
}

const notStarted = (reason: string): HoldfastError =>
  new HoldfastError('ari_failed', `The media socket did not start: ${reason}`, { retryable: true });

function parseControl(data: RawData): Control | undefined {
  try {
    const parsed: unknown = JSON.parse(String(data));
    return typeof parsed === 'object' && parsed !== null && 'event' in parsed ? (parsed as Control) : undefined;
  } catch {
    return undefined;
  }
}
