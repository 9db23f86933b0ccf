import type { FinalizeRequest } from '../contracts/call-workflow.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import { HoldfastError } from '../domain/errors.ts';
import { errorFacts } from '../telemetry.ts';
import type { TalkDeps, StoredEnd } from './deps.ts';

export interface FinalizeInput extends Omit<FinalizeRequest, 'endedAt'> {
  /** ISO 8601; null when nobody saw the end, then it is now. */
  readonly endedAt: string | null;
  /** Turns that PostgreSQL refused to take during the talk. */
  readonly unstoredTurns: readonly TurnRecord[];
}

/** Late turns first, then the one disposition. Idempotent; to be retried until it succeeds. @returns the disposition that counts: the first. */
export async function finalizeCall(deps: TalkDeps, input: FinalizeInput): Promise<StoredEnd> {
  const { unstoredTurns, endedAt, ...facts } = input;
  const { callId, tenantId } = facts;
  if (unstoredTurns.length > 0) {
    await deps.calls.recordTurns({ callId, tenantId, turns: unstoredTurns }).catch((error: unknown) => {
      // Turns that can never be stored must not keep the call open for ever.
      if (!(error instanceof HoldfastError) || error.retryable) throw error;
      deps.logger.error({ callId, turns: unstoredTurns.length, ...errorFacts(error) }, 'turns could not be stored');
    });
  }
  const { disposition, reason } = await deps.calls.finalizeCall({ ...facts, endedAt: endedAt ?? new Date().toISOString() });
  return { disposition, reason };
}
