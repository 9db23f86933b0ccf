/** What records and Redis tell the janitor, and what it may change there. */
import type { Redis } from 'ioredis';
import type { MediaNode } from '../contracts/media-node.ts';
import type { Database } from '../db/tenant-scope.ts';
import type { OpenCall, SeenLiveState } from '../domain/world.ts';
import { callRecordIdFor } from './call-identity.ts';
import type { CallRef } from './calls.ts';
import { forgetLiveState, liveStates } from './live-calls.ts';
import { RedisMediaNodes } from './media-nodes.ts';
import { closeAbandonedCall, openCalls } from './open-calls.ts';

export interface JanitorView {
  /** Those that announce themselves now. @throws while Redis is away. */
  liveNodes(): Promise<readonly MediaNode[]>;
  openCalls(): Promise<OpenCall[]>;
  closeAbandonedCall(call: CallRef): Promise<boolean>;
  liveStates(): Promise<SeenLiveState[]>;
  forgetLiveState(callId: string): Promise<void>;
  /** The dialplan announces a call under the id of its channel. */
  callIdOf(channelId: string): string;
}

export function janitorView({ db, redis }: { db: Database; redis: Redis }): JanitorView {
  // The list from before, which is good enough to admit a call, could hide a node and its talks.
  const nodes = new RedisMediaNodes(redis, (error) => {
    throw error;
  });
  return {
    liveNodes: () => nodes.live(),
    openCalls: () => openCalls(db),
    closeAbandonedCall: (call) => closeAbandonedCall(db, call),
    liveStates: () => liveStates(redis),
    forgetLiveState: (callId) => forgetLiveState(redis, callId),
    callIdOf: callRecordIdFor,
  };
}
