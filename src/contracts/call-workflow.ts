/**
 * What crosses the Temporal boundary. Plain JSON; the caller's number travels sealed (AES-256-GCM),
 * because payloads are readable to everyone who may read histories.
 */
import type { CallState, Disposition } from '../domain/call.ts';
import type { CallPlan } from './call-plan.ts';
import type { CallUsage } from './media-control.ts';
import type { MediaNode } from './media-node.ts';
import type { InboundWebhookResponse } from './telephony-webhook.ts';
import type { TurnRecord } from './turn.ts';

export const INBOUND_CALL_WORKFLOW = 'inboundCall';
export const ADMIT_UPDATE = 'admit';
export const HANGUP_UPDATE = 'hangup';
export const TURNS_SIGNAL = 'turns';
/** Keyword search attributes, made by the Temporal set-up; none ever holds PII. */
export const searchAttributeNames = {
  tenant: 'HoldfastTenantId',
  direction: 'HoldfastDirection',
  state: 'HoldfastState',
  disposition: 'HoldfastDisposition',
  mediaNode: 'HoldfastMediaNode',
} as const;

/** `call-{callRecordId}`; the record id is a UUIDv5 of the PBX's call id, so a re-sent webhook meets the same workflow. */
export const workflowIdFor = (callRecordId: string): string => `call-${callRecordId}`;

export interface AdmitRequest {
  readonly callRecordId: string;
  readonly channelId: string;
  readonly calledNumber: string;
  /** AES-256-GCM under the platform key, base64; null when withheld. */
  readonly sealedCallerNumber: string | null;
  /** ISO 8601: when the PBX saw the call. */
  readonly arrivedAt: string;
}

/** The result of the local activity admitCall. */
export interface Admission {
  readonly response: InboundWebhookResponse;
  /** Present only when accepted. */
  readonly plan: CallPlan | null;
  readonly node: MediaNode | null;
}

export interface ConverseRequest {
  readonly plan: CallPlan;
  readonly node: MediaNode;
}

export interface ConverseResult {
  readonly disposition: Disposition;
  readonly reason: string;
  readonly answeredAt: string | null;
  readonly endedAt: string;
  readonly turnCount: number;
  readonly usage: CallUsage;
}

export interface FinalizeRequest extends Omit<ConverseResult, 'turnCount'> {
  readonly callId: string;
  readonly tenantId: string;
}

/** Signalled in batches, never one signal per turn. */
export interface TurnsSignal {
  readonly turns: readonly TurnRecord[];
  readonly state: CallState;
}

export interface HangupRequest {
  readonly reason: string;
}
