/** What the activities need from the rest of Holdfast; src/bin/worker.ts hands in the real services. */
import type { AdmitRequest, Admission, FinalizeRequest } from '../contracts/call-workflow.ts';
import type { ResumePoint } from '../contracts/checkpoint.ts';
import type { MediaNode } from '../contracts/media-node.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import type { Disposition } from '../domain/call.ts';
import type { Logger } from '../telemetry.ts';

/** How a call ended, as PostgreSQL has it. */
export interface StoredEnd {
  readonly disposition: Disposition;
  readonly reason: string | null;
}

export interface CallRecords {
  /** Idempotent: the first time stays. */
  recordAnswered(call: { callId: string; tenantId: string; answeredAt: string }): Promise<void>;
  /** The media node that holds the call now. */
  recordNode(call: { callId: string; tenantId: string; mediaNode: string }): Promise<void>;
  /** Idempotent by sequence. */
  recordTurns(call: { callId: string; tenantId: string; turns: readonly TurnRecord[] }): Promise<void>;
  /** Idempotent: the first terminal disposition stays, and is the answer. */
  finalizeCall(request: FinalizeRequest): Promise<StoredEnd>;
}

export interface ToolRequest {
  readonly callId: string;
  readonly tenantId: string;
  /** "{turn}:{index}"; the side effect happens once per call and key, and a repetition gets the stored answer. */
  readonly key: string;
  readonly name: string;
  /** JSON text as the model wrote it. */
  readonly arguments: string;
}

export interface ToolAnswer {
  readonly ok: boolean;
  /** JSON text for the model. */
  readonly content: string;
}

/** What is known of a live call outside of the attempt that relays it. */
export interface Recalled {
  readonly turns: readonly TurnRecord[];
  readonly resume: ResumePoint;
  /** The process that holds the call; null when nobody knows. */
  readonly owner: { readonly epoch: number; readonly instance: string } | null;
}

export interface Nodes {
  live(): Promise<readonly MediaNode[]>;
  /** Those to be avoided as well. */
  announced(): Promise<readonly MediaNode[]>;
  /** This process is dead or leaving: nobody gets it for a while. */
  avoid(instance: string): void;
  /** For a call that has to go somewhere: a full node rather than none; null when there is none. */
  refuge(nodes: readonly MediaNode[]): MediaNode | null;
}

/** What holding a talk takes, with a workflow or without. */
export interface TalkDeps {
  readonly calls: CallRecords;
  readonly nodes: Nodes;
  /** Best effort: null when nothing is known, or nobody could be asked in time. */
  recall(call: { callId: string; tenantId: string }): Promise<Recalled | null>;
  runTool(request: ToolRequest): Promise<ToolAnswer>;
  /** Where operators may transfer callers to, lower case; see TRANSFER_ALLOWED_HOSTS. */
  readonly transferHosts: readonly string[];
  /** Bearer token of the media nodes' control sockets. */
  readonly controlSecret: string;
  readonly limits: { readonly toolTimeoutMs: number; readonly bufferedEvents: number };
  readonly logger: Logger;
}

export interface ActivityDeps extends TalkDeps {
  admitCall(request: AdmitRequest): Promise<Admission>;
}
