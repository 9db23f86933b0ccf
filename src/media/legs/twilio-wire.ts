/**
 * Twilio Media Streams, bidirectional (`<Connect><Stream>`): JSON in text frames, audio as base64 of
 * μ-law at 8 kHz, no container. Numbers are strings. Twilio is the WebSocket's client.
 *
 *   ◀ {"event":"connected","protocol":"Call","version":"1.0.0"}
 *   ◀ {"event":"start","sequenceNumber":"1","streamSid":"MZ…","start":{"streamSid":"MZ…","accountSid":"AC…","callSid":"CA…",
 *      "tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{…}}}
 *   ◀ {"event":"media","sequenceNumber":"3","streamSid":"MZ…","media":{"track":"inbound","chunk":"1","timestamp":"5","payload":"…"}}
 *   ◀ {"event":"dtmf","streamSid":"MZ…","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"1"}}
 *   ◀ {"event":"mark","sequenceNumber":"4","streamSid":"MZ…","mark":{"name":"…"}}   its audio was played, or cleared
 *   ◀ {"event":"stop","sequenceNumber":"9","streamSid":"MZ…","stop":{"accountSid":"AC…","callSid":"CA…"}}   the call is over, or led elsewhere
 *   ▶ {"event":"media","streamSid":"MZ…","media":{"payload":"…"}}                   buffered and played in order
 *   ▶ {"event":"mark","streamSid":"MZ…","mark":{"name":"…"}}
 *   ▶ {"event":"clear","streamSid":"MZ…"}                                           empties the buffer; every mark in it comes back
 *
 * Nothing here throws, whatever comes: a fault is an answer like any other.
 */
export const twilioWireLimits = {
  /** A start with many parameters has 3 KB, 20 ms of audio 0.3 KB. */
  messageBytes: 65_536,
  /** One second: far above the 20 ms that Twilio sends. */
  payloadBytes: 8_000,
  /** Of a sid, a digit, a mark's name, a parameter's name or value. */
  wordCharacters: 500,
  customParameters: 50,
} as const;

/** Why a message cannot be used. */
export const wireFaults = ['too_large', 'not_json', 'not_an_event', 'fields', 'format', 'track', 'payload'] as const;
export type WireFault = (typeof wireFaults)[number];

export interface StreamStart {
  readonly streamSid: string;
  readonly accountSid: string;
  readonly callSid: string;
  readonly parameters: ReadonlyMap<string, string>;
}

export type TwilioMessage =
  | { readonly kind: 'connected' }
  | ({ readonly kind: 'start' } & StreamStart)
  /** The first `bytes` of the array that was handed in. */
  | { readonly kind: 'media'; readonly bytes: number }
  | { readonly kind: 'dtmf'; readonly digit: string }
  | { readonly kind: 'mark'; readonly name: string }
  | { readonly kind: 'stop' }
  /** An event of a later version of the protocol. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'fault'; readonly fault: WireFault };

type Fields = Readonly<Record<string, unknown>>;

/** @param audio takes the μ-law codes of a media message; at least payloadBytes long, used again for every message. */
export function decodeTwilioMessage(message: Buffer, audio: Buffer): TwilioMessage {
  if (message.length > twilioWireLimits.messageBytes) return fault('too_large');
  const fields = parsed(message);
  if (fields === null) return fault('not_json');
  switch (fields['event']) {
    case 'media':
      return mediaFrom(fieldsOf(fields['media']), audio);
    case 'mark': {
      const name = word(fieldsOf(fields['mark'])['name']);
      return name === null ? fault('fields') : { kind: 'mark', name };
    }
    case 'dtmf': {
      const digit = word(fieldsOf(fields['dtmf'])['digit']);
      return digit === null || !/^[0-9A-D*#]$/.test(digit) ? fault('fields') : { kind: 'dtmf', digit };
    }
    case 'start':
      return startFrom(fieldsOf(fields['start']));
    case 'connected':
    case 'stop':
      return { kind: fields['event'] };
    default:
      return typeof fields['event'] === 'string' ? { kind: 'unknown' } : fault('not_an_event');
  }
}

function mediaFrom(media: Fields, audio: Buffer): TwilioMessage {
  const { track, payload } = media;
  if (track !== 'inbound') return fault('track');
  if (typeof payload !== 'string' || payload.length === 0 || payload.length % 4 !== 0) return fault('payload');
  const bytes = (payload.length / 4) * 3 - padding(payload);
  if (bytes > twilioWireLimits.payloadBytes || bytes > audio.length) return fault('payload');
  // The decoder skips what is no base64: then fewer bytes come out than its length promises.
  return audio.write(payload, 'base64') === bytes ? { kind: 'media', bytes } : fault('payload');
}

const padding = (base64: string): number => (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0);

function startFrom(start: Fields): TwilioMessage {
  const [streamSid, accountSid, callSid] = [word(start['streamSid']), word(start['accountSid']), word(start['callSid'])];
  const parameters = parametersFrom(start['customParameters']);
  if (streamSid === null || accountSid === null || callSid === null || parameters === null) return fault('fields');
  const { encoding, sampleRate, channels } = fieldsOf(start['mediaFormat']);
  if (encoding !== 'audio/x-mulaw' || Number(sampleRate) !== 8_000 || Number(channels) !== 1) return fault('format');
  return { kind: 'start', streamSid, accountSid, callSid, parameters };
}

function parametersFrom(value: unknown): ReadonlyMap<string, string> | null {
  const entries = Object.entries(fieldsOf(value));
  if (entries.length > twilioWireLimits.customParameters) return null;
  const parameters = new Map<string, string>();
  for (const [name, text] of entries) {
    if (typeof text !== 'string' || Math.max(name.length, text.length) > twilioWireLimits.wordCharacters) return null;
    parameters.set(name, text);
  }
  return parameters;
}

export const encodeMedia = (streamSid: string, codes: Buffer): string =>
  `{"event":"media","streamSid":${JSON.stringify(streamSid)},"media":{"payload":"${codes.toString('base64')}"}}`;

export const encodeMark = (streamSid: string, name: string): string => JSON.stringify({ event: 'mark', streamSid, mark: { name } });

export const encodeClear = (streamSid: string): string => JSON.stringify({ event: 'clear', streamSid });

const fault = (because: WireFault): TwilioMessage => ({ kind: 'fault', fault: because });

const word = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && value.length <= twilioWireLimits.wordCharacters ? value : null;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

function parsed(message: Buffer): Fields | null {
  try {
    const value: unknown = JSON.parse(message.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return null;
  }
}
