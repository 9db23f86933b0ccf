/** What the activities need from the rest of Holdfast; src/bin/worker.ts hands in the real services. */
import type { AdmitRequest, Admission, FinalizeRequest } from '../contracts/call-workflow.ts';
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

export interface ActivityDeps {
  admitCall(request: AdmitRequest): Promise<Admission>;
  readonly calls: CallRecords;
  runTool(request: ToolRequest): Promise<ToolAnswer>;
  /** Bearer token of the media nodes' control sockets. */
  readonly controlSecret: string;
  readonly limits: { readonly toolTimeoutMs: number; readonly bufferedEvents: number };
  readonly logger: Logger;
}
