/**
 * Twilio's end of a media stream: speaks first, sends 20 ms of the caller's audio every 20 ms, buffers
 * what it is sent and plays it at the same pace, returns a mark when what precedes it was played, and
 * all marks at once when it is told to clear.
 */
import { WebSocket } from 'ws';
import twilio from 'twilio';
import { decodeG711, encodeG711, muLaw } from '../../src/media/audio/g711.ts';

export interface FakeStreamOptions {
  readonly authToken: string;
  readonly callSid: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** What is signed; the URL that is dialled when left out. */
  readonly signedUrl?: string;
  /** Bytes of one media message; 160 at Twilio. */
  readonly payloadBytes?: number;
}

type Item = { readonly codes: Buffer; at: number } | { readonly mark: string };

const FRAME_MS = 20;
const FRAME_BYTES = 160;
const SILENCE = 0xff;
export const ACCOUNT_SID = 'ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX';

export class FakeTwilioStream implements AsyncDisposable {
  readonly streamSid = `MZ${crypto.randomUUID().replaceAll('-', '')}`;
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #options: FakeStreamOptions;
  readonly #closed = Promise.withResolvers<number>();
  #queue: Item[] = [];
  readonly #heard: Buffer[] = [];
  #speech = Buffer.alloc(0);
  #sequence = 0;
  #startedMs = 0;
  #ticks = 0;
  #timer: NodeJS.Timeout | undefined;
  clears = 0;
  /** Most audio that waited here at once. */
  mostBufferedMs = 0;

  private constructor(socket: WebSocket, options: FakeStreamOptions) {
    this.#socket = socket;
    this.#options = options;
    this.closed = this.#closed.promise;
    socket.on('message', (data: Buffer) => this.#receive(JSON.parse(data.toString('utf8')) as Outgoing));
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      clearInterval(this.#timer);
      this.#closed.resolve(code);
    });
  }

  /** @throws when the server refuses. */
  static async dial(url: string, options: FakeStreamOptions): Promise<FakeTwilioStream> {
    const signature = twilio.getExpectedTwilioSignature(options.authToken, options.signedUrl ?? url, {});
    const socket = new WebSocket(url, { headers: { 'x-twilio-signature': signature }, perMessageDeflate: false });
    const stream = new FakeTwilioStream(socket, options);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    stream.#begin();
    return stream;
  }

  /** Everything the caller has heard so far, silence included. */
  heard(): Int16Array {
    const codes = Buffer.concat(this.#heard);
    const pcm = new Int16Array(codes.length);
    decodeG711(muLaw, codes, pcm);
    return pcm;
  }

  /** The caller speaks, from now on. */
  speak(pcm: Int16Array): void {
    const codes = Buffer.alloc(pcm.length);
    encodeG711(muLaw, pcm, codes);
    this.#speech = Buffer.concat([this.#speech, codes]);
  }

  press(digit: string): void {
    this.#tell({ event: 'dtmf', dtmf: { track: 'inbound_track', digit } });
  }

  send(text: string | Buffer): void {
    this.#socket.send(text);
  }

  /** The caller hangs up. */
  async hangUp(): Promise<void> {
    clearInterval(this.#timer);
    this.#tell({ event: 'stop', stop: { accountSid: ACCOUNT_SID, callSid: this.#options.callSid } });
    this.#socket.close(1000);
    await this.closed;
  }

  /** The network between breaks: nothing is said. */
  breakOff(): void {
    this.#socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    await this.closed;
  }

  #begin(): void {
    const { callSid, parameters = {}, payloadBytes = FRAME_BYTES } = this.#options;
    this.#socket.send(JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' }));
    const { streamSid } = this;
    this.#tell({
      event: 'start',
      start: {
        streamSid,
        accountSid: ACCOUNT_SID,
        callSid,
        tracks: ['inbound'],
        mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
        customParameters: parameters,
      },
    });
    this.#startedMs = performance.now();
    let chunk = 0;
    let due = 0;
    this.#timer = setInterval(() => {
      for (; this.#ticks * FRAME_MS <= performance.now() - this.#startedMs; this.#ticks++) {
        this.#play();
        for (due += FRAME_BYTES; due >= payloadBytes; due -= payloadBytes) {
          const codes = Buffer.alloc(payloadBytes, SILENCE);
          this.#speech.copy(codes);
          this.#speech = this.#speech.subarray(payloadBytes);
          const media = {
            track: 'inbound',
            chunk: String(++chunk),
            timestamp: String(this.#ticks * FRAME_MS),
            payload: codes.toString('base64'),
          };
          this.#tell({ event: 'media', media });
        }
      }
    }, FRAME_MS / 2);
  }

  #tell(message: object): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify({ ...message, sequenceNumber: String(++this.#sequence), streamSid: this.streamSid }));
  }

  #receive(message: Outgoing): void {
    if (message.streamSid !== this.streamSid) throw new Error('A message for another stream');
    if (message.event === 'media') this.#queue.push({ codes: Buffer.from(message.media.payload, 'base64'), at: 0 });
    if (message.event === 'mark') this.#queue.push({ mark: message.mark.name });
    if (message.event === 'clear') {
      this.clears += 1;
      const marks = this.#queue.flatMap((item) => ('mark' in item ? [item.mark] : []));
      this.#queue = [];
      for (const name of marks) this.#tell({ event: 'mark', mark: { name } });
    }
    const bytes = this.#queue.reduce((sum, item) => sum + ('codes' in item ? item.codes.length - item.at : 0), 0);
    this.mostBufferedMs = Math.max(this.mostBufferedMs, bytes / 8);
    this.#returnMarks();
  }

  #play(): void {
    const frame = Buffer.alloc(FRAME_BYTES, SILENCE);
    for (let filled = 0; filled < FRAME_BYTES;) {
      this.#returnMarks();
      const item = this.#queue[0];
      if (item === undefined || !('codes' in item)) break;
      const count = item.codes.copy(frame, filled, item.at);
      item.at += count;
      filled += count;
      if (item.at === item.codes.length) this.#queue.shift();
    }
    this.#returnMarks();
    this.#heard.push(frame);
  }

  #returnMarks(): void {
    for (let first = this.#queue[0]; first !== undefined && 'mark' in first; first = this.#queue[0]) {
      this.#queue.shift();
      this.#tell({ event: 'mark', mark: { name: first.mark } });
    }
  }
}

type Outgoing = { readonly streamSid: string } & (
  | { readonly event: 'media'; readonly media: { readonly payload: string } }
  | { readonly event: 'mark'; readonly mark: { readonly name: string } }
  | { readonly event: 'clear' }
);
