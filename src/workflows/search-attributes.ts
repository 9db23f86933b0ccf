/** Search attributes of a call. Every upsert is one event of history, so a call makes two: admitted and ended. */
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import { searchAttributeNames } from '../contracts/call-workflow.ts';
import type { CallDirection, CallState, Disposition } from '../domain/call.ts';

export interface CallAttributes {
  readonly tenant?: string | null;
  readonly direction?: CallDirection;
  readonly state?: CallState;
  readonly disposition?: Disposition;
  readonly mediaNode?: string | null;
}

export function markCall(attributes: CallAttributes): void {
  const pairs: SearchAttributePair[] = [];
  for (const [name, value] of Object.entries(attributes) as [keyof CallAttributes, string | null][]) {
    if (value !== null) pairs.push({ key: defineSearchAttributeKey(searchAttributeNames[name], 'KEYWORD'), value });
  }
  upsertSearchAttributes(pairs);
}
