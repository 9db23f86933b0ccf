/**
 * What the four systems of record say about the calls at one moment, as the janitor looks at it.
 * `null` means "could not be seen", which is never the same as "is empty".
 */
import type { CallState } from './call.ts';

export interface World {
  /** Unix time at which the look began. */
  readonly atMs: number;
  /** Null unless at least one media node could tell. */
  readonly pbx: PbxView | null;
  /** Null unless every media node that announces itself has answered, and there is one. */
  readonly sessions: readonly SeenSession[] | null;
  /** Media nodes that announce themselves and do not answer. */
  readonly silentNodes: readonly string[];
  /** Calls in PostgreSQL without a disposition. */
  readonly openCalls: readonly OpenCall[] | null;
  /** By call id. A call that is not in it was not asked for, and nothing is concluded about it. */
  readonly workflows: ReadonlyMap<string, SeenWorkflow> | null;
  /** What Redis holds about calls as live. */
  readonly liveStates: readonly SeenLiveState[] | null;
}

/** Everything the PBXs hold, as far as it can be Holdfast's. Read before the sessions: whoever makes a channel has its session first. */
export interface PbxView {
  /** Every channel but our own media channels, wherever in the PBX it is. */
  readonly callers: readonly SeenCaller[];
  readonly media: readonly SeenMedia[];
  readonly bridges: readonly SeenBridge[];
}

export interface SeenCaller {
  readonly channelId: string;
  /** Follows from the channel's id, also before the call is on record. */
  readonly callId: string;
  /** In an application or a bridge of Holdfast, so that only Holdfast can make the caller hear something. */
  readonly held: boolean;
}

export interface SeenMedia {
  readonly channelId: string;
  readonly callId: string;
  readonly epoch: number;
}

export interface SeenBridge {
  readonly bridgeId: string;
  readonly callId: string;
}

/** A talk in a media node, or a caller there who waits for the plan (epoch 0). */
export interface SeenSession {
  readonly callId: string;
  readonly nodeId: string;
  readonly epoch: number;
}

export interface OpenCall {
  readonly callId: string;
  readonly tenantId: string;
  readonly startedAtMs: number;
}

export interface SeenWorkflow {
  /** `missing`: Temporal has never heard of it, or no longer keeps it. */
  readonly status: 'running' | 'closed' | 'missing';
}

export interface SeenLiveState {
  readonly callId: string;
  readonly state: CallState | null;
  /** False: Redis would keep it for ever. */
  readonly expires: boolean;
}
