/**
 * Twilio Media Streams from the carrier's end. Numbers are strings, audio is base64 μ-law at 8 kHz:
 *
 *   → connected, start{streamSid, callSid, mediaFormat}, media{chunk, timestamp, payload} every 20 ms, mark{name}, stop
 *   ← media{payload}, mark{name}, clear
 */
export const FRAME_BYTES = 160;
export const FRAME_MS = 20;
const BYTES_PER_MS = FRAME_BYTES / FRAME_MS;

/** Whole frames of 20 ms as base64; what is left over is not sent. */
export function framesOf(ulaw: Buffer): string[] {
  return Array.from({ length: Math.floor(ulaw.length / FRAME_BYTES) }, (_, n) =>
    ulaw.toString('base64', n * FRAME_BYTES, (n + 1) * FRAME_BYTES),
  );
}

/** The line is never digitally silent: 0, -0, +8 and -8 in turn, from a small generator with a seed. */
export function noiseFrames(count: number, seed = 7): string[] {
  const quietest = [0xff, 0x7f, 0xfe, 0x7e];
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return quietest[state >>> 30] as number;
  };
  return Array.from({ length: count }, () => Buffer.from(Array.from({ length: FRAME_BYTES }, next)).toString('base64'));
}

export interface StreamIds {
  readonly accountSid: string;
  readonly streamSid: string;
  readonly callSid: string;
}

export const idsOf = (caller: number): StreamIds => ({
  accountSid: `AC${'0'.repeat(32)}`,
  streamSid: `MZ${String(caller).padStart(32, '0')}`,
  callSid: `CA${String(caller).padStart(32, '0')}`,
});

export const connected = (): string => JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' });

export function start({ accountSid, streamSid, callSid }: StreamIds): string {
  const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8_000, channels: 1 };
  const facts = { accountSid, streamSid, callSid, tracks: ['inbound'], mediaFormat, customParameters: {} };
  return JSON.stringify({ event: 'start', sequenceNumber: '1', start: facts, streamSid });
}

export interface Frame {
  readonly streamSid: string;
  /** Of the message, from 1. */
  readonly sequence: number;
  /** Of the frame, from 1. */
  readonly chunk: number;
  readonly payload: string;
}

/** Put together by hand, for this is what a caller costs. */
export function media({ streamSid, sequence, chunk, payload }: Frame): string {
  return `{"event":"media","sequenceNumber":"${sequence}","media":{"track":"inbound","chunk":"${chunk}","timestamp":"${chunk * FRAME_MS}","payload":"${payload}"},"streamSid":"${streamSid}"}`;
}

export const mark = (streamSid: string, sequence: number, name: string): string =>
  JSON.stringify({ event: 'mark', sequenceNumber: String(sequence), streamSid, mark: { name } });

export const stop = ({ accountSid, streamSid, callSid }: StreamIds, sequence: number): string =>
  JSON.stringify({ event: 'stop', sequenceNumber: String(sequence), streamSid, stop: { accountSid, callSid } });

export type FromBot =
  | { readonly kind: 'media'; readonly durationMs: number }
  | { readonly kind: 'clear' }
  /** To be sent back once it is played. */
  | { readonly kind: 'mark'; readonly name: string };

/** Looks only at what is measured: any JSON of the right event counts, whatever its spaces. @returns null for the rest. */
export function fromBot(message: Buffer): FromBot | null {
  if (message.includes('"event":"media"') || message.includes('"event": "media"')) {
    const key = message.indexOf('"payload"');
    const open = message.indexOf('"', key + '"payload"'.length);
    const close = message.indexOf('"', open + 1);
    if (key < 0 || open < 0 || close < 0) return null;
    return { kind: 'media', durationMs: decodedBytes(message.subarray(open + 1, close)) / BYTES_PER_MS };
  }
  if (message.includes('"clear"')) return { kind: 'clear' };
  if (!message.includes('"mark"')) return null;
  return { kind: 'mark', name: (JSON.parse(message.toString()) as { mark: { name: string } }).mark.name };
}

/** Four characters of base64 hold three bytes, less what is padding. */
function decodedBytes(base64: Buffer): number {
  const padding = base64.indexOf('=');
  return (base64.length / 4) * 3 - (padding < 0 ? 0 : base64.length - padding);
}
