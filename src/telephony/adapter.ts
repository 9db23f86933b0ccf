/**
 * The contract of a telephony carrier: who calls whom, what became of it, and what Holdfast may ask
 * for. One folder per carrier implements it; audio goes another way, through a media leg
 * (src/media/legs/leg.ts). Numbers are E.164 and PII: they never reach a log.
 *
 * The Asterisk trunk needs only part of it today: its calls arrive by the webhook
 * (src/contracts/telephony-webhook.ts), and every number routed to the trunk is its number.
 */
import type { CallDirection } from '../domain/call.ts';

export interface CallMetadata {
  /** The carrier's id of the call: unique for ever, the idempotency key of its admission. */
  readonly carrierCallId: string;
  readonly direction: CallDirection;
  /** Null when the caller withheld it. */
  readonly callerNumber: string | null;
  readonly calledNumber: string;
  /** ISO 8601: when the carrier saw the call. */
  readonly arrivedAt: string;
}

export const callEventTypes = ['INITIATED', 'RINGING', 'ANSWERED', 'ENDED', 'FAILED'] as const;
export type CallEventType = (typeof callEventTypes)[number];

export interface CallEvent {
  readonly type: CallEventType;
  readonly carrierCallId: string;
  /** ISO 8601. */
  readonly at: string;
  /** Q.850, with ENDED and FAILED; null when the carrier does not tell. */
  readonly cause: number | null;
}

export interface TelephonyAdapter extends AsyncDisposable {
  /** E.g. "asterisk", "twilio"; the provider_type of a phone number. */
  readonly carrier: string;
  /** Asks the carrier to send calls for this number here. Repeating it is harmless. */
  registerNumber(number: string): Promise<void>;
  unregisterNumber(number: string): Promise<void>;
  /** Called once per arriving call; the returned function takes the handler away. */
  onInboundCall(handler: (call: CallMetadata) => Promise<void>): () => void;
  onCallEvent(handler: (event: CallEvent) => void): () => void;
  /** Places a call; resolves with the carrier's call id as soon as it is initiated. */
  originate(call: Pick<CallMetadata, 'callerNumber' | 'calledNumber'>): Promise<string>;
  transfer(carrierCallId: string, toNumber: string): Promise<void>;
  /** A call that is over already counts as hung up. */
  hangup(carrierCallId: string): Promise<void>;
}
