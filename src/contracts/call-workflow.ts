/**
 * What crosses the Temporal boundary. Plain JSON; the caller's number travels sealed (AES-256-GCM),
 * because payloads are readable to everyone who may read histories.
 */
import type { CallState, Disposition } from '../domain/call.ts';
import type { CallPlan } from './call-plan.ts';
import type { CallUsage } from './checkpoint.ts';
import type { MediaNode } from './media-node.ts';
import type { SteerCommand } from '../domain/steering.ts';
import type { InboundWebhookResponse } from './telephony-webhook.ts';
import type { TurnRecord } from './turn.ts';

/** Takes one argument: AdmitRequest. */
export const INBOUND_CALL_WORKFLOW = 'inboundCall';
/** Takes no argument, returns InboundWebhookResponse; fails with type admission_timeout when the records cannot be reached. */
export const ADMIT_UPDATE = 'admit';
/** Takes HangupRequest, returns HangupResponse at once; the call ends within seconds. Rejected once the call is over. */
export const HANGUP_UPDATE = 'hangup';
/** Takes SayRequest; answered once the media node has it. The sentence is spoken as soon as the agent may speak. */
export const SAY_UPDATE = 'say';
/** Takes TransferRequest; answered once the media node has it. */
export const TRANSFER_UPDATE = 'transfer';
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
  /** Nobody waits for the answer any more: the call only gets its record. */
  readonly missed?: boolean;
}

/** The result of the local activity admitCall. */
export interface Admission {
  readonly response: InboundWebhookResponse;
  /** Present only when accepted. */
  readonly plan: CallPlan | null;
  readonly node: MediaNode | null;
  /** Present only when the call has ended already, as PostgreSQL has it: nothing is left to do but to say so. */
  readonly over?: EndedCall | null;
}

/** What was said, as far as it is on record. */
export interface CallCourse {
  /** Utterances of both sides. */
  readonly turnCount: number;
  /** Oldest first. */
  readonly latestTurns: readonly TurnRecord[];
}

export interface EndedCall extends CallCourse {
  readonly disposition: Disposition;
  readonly reason: string;
  /** ISO 8601, both. */
  readonly answeredAt: string | null;
  readonly endedAt: string;
}

export interface ConverseRequest {
  readonly plan: CallPlan;
  readonly node: MediaNode;
  /** Rises by one with every node that takes the call over; a node drops a call that a higher epoch owns. */
  readonly epoch: number;
  /** Set on a closing pass: end the call with this cause and bring back what happened. */
  readonly hangup: string | null;
}

export interface ConverseResult {
  readonly disposition: Disposition;
  readonly reason: string;
  readonly answeredAt: string | null;
  readonly endedAt: string;
  readonly turnCount: number;
  readonly usage: CallUsage;
  /** Turns that no signal has carried yet, oldest first: they save the last signal of a call. */
  readonly latestTurns: readonly TurnRecord[];
  /** Turns that PostgreSQL did not take in time; the workflow stores them before it finalizes the call. */
  readonly unstoredTurns: readonly TurnRecord[];
}

export interface FinalizeRequest extends Omit<ConverseResult, 'turnCount' | 'latestTurns' | 'unstoredTurns'> {
  readonly callId: string;
  readonly tenantId: string;
}

/** Signalled in batches, never one signal per turn. */
export interface TurnsSignal {
  readonly turns: readonly TurnRecord[];
  readonly state: CallState;
  /** Who holds the call now; absent in signals of version 0.1. */
  readonly node?: MediaNode;
  readonly epoch?: number;
}

export interface HangupRequest {
  /** Short machine-readable cause, at most 100 characters, never PII. */
  readonly reason: string;
}

export interface SayRequest {
  /** 1 to 500 characters. */
  readonly text: string;
}

export interface TransferRequest {
  /** sip:user@host or sip:user@host:port. */
  readonly to: string;
}

/** What steerCall is given. */
export interface SteerRequest {
  readonly callId: string;
  readonly tenantId: string;
  /** Who holds the call, as far as the workflow was told. */
  readonly node: MediaNode;
  readonly epoch: number;
  /** Of the wish: one that comes twice happens once. */
  readonly id: string;
  readonly command: SteerCommand;
}

export interface SteerResponse {
  readonly status: 'accepted';
}

export interface HangupResponse {
  readonly status: 'accepted';
}

/** What the workflow returns. */
export interface CallOutcome {
  readonly disposition: Disposition;
  readonly reason: string;
  /** Utterances, as far as Temporal was told; PostgreSQL has them all. */
  readonly turnCount: number;
}
