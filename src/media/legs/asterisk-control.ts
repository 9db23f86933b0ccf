/**
 * The text messages of chan_websocket, and when they travel. Subprotocol `media`, the PBX is the
 * server, transport_data f(json):
 *
 *   ◀ text   {"event":"MEDIA_START","format":"slin16","optimal_frame_size":640,"ptime":20,…}
 *   ◀ binary 640 bytes = 20 ms = 320 samples, signed 16-bit little-endian, no timestamp
 *   ▶ binary n × 640 bytes (a remainder would be dropped), up to 65,535
 *   ▶ text   {"command":"MARK_MEDIA","correlation_id":"3:u:m-17"}       at most 128 bytes, else dropped silently
 *   ◀ text   {"event":"MEDIA_MARK_PROCESSED","correlation_id":"3:u:m-17"}
 *   ▶ text   {"command":"PAUSE_MEDIA"} {"command":"CONTINUE_MEDIA"}
 *   ▶ text   {"command":"FLUSH_MEDIA"}  drops audio and marks, answers nothing, leaves a pause on
 *   ◀ text   {"event":"MEDIA_XOFF"} {"event":"MEDIA_XON"} {"event":"DTMF_END","digit":"5"} {"event":"ERROR","error_text":…}
 *   ▶ text   {"command":"HANGUP"}
 */
import { HoldfastError } from '../../domain/errors.ts';

export type ControlEvent =
  | { readonly kind: 'start'; readonly format: string; readonly frameBytes: number }
  | { readonly kind: 'mark'; readonly correlationId: string }
  | { readonly kind: 'xoff' }
  | { readonly kind: 'xon' }
  | { readonly kind: 'dtmf'; readonly digit: string }
  | { readonly kind: 'error'; readonly reason: string };

export type Command = 'PAUSE_MEDIA' | 'CONTINUE_MEDIA' | 'FLUSH_MEDIA' | 'HANGUP';

const MAX_COMMAND_BYTES = 128;

export const encodeCommand = (command: Command): string => JSON.stringify({ command });

/** @throws HoldfastError limit_exceeded: the PBX would drop it without a word, and the mark would never come back. */
export function encodeMark(correlationId: string): string {
  const text = JSON.stringify({ command: 'MARK_MEDIA', correlation_id: correlationId });
  if (Buffer.byteLength(text) > MAX_COMMAND_BYTES) throw new HoldfastError('limit_exceeded', 'A mark id is too long for the PBX');
  return text;
}

/** Undefined for what is not JSON, not an event, or an event that says nothing to a leg. */
export function decodeEvent(text: string): ControlEvent | undefined {
  const message = parse(text);
  switch (message['event']) {
    case 'MEDIA_START':
      return { kind: 'start', format: string(message['format']), frameBytes: Number(message['optimal_frame_size']) };
    case 'MEDIA_MARK_PROCESSED':
      return { kind: 'mark', correlationId: string(message['correlation_id']) };
    case 'MEDIA_XOFF':
      return { kind: 'xoff' };
    case 'MEDIA_XON':
      return { kind: 'xon' };
    case 'DTMF_END':
      return { kind: 'dtmf', digit: string(message['digit']) };
    case 'ERROR':
      return { kind: 'error', reason: string(message['error_text']) };
    default:
      return undefined;
  }
}

const string = (value: unknown): string => (typeof value === 'string' ? value : '');

function parse(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
