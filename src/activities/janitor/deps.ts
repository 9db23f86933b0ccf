/** What the janitor needs from the rest of Holdfast; src/bin/worker.ts hands in the real services. */
import type { MediaNode } from '../../contracts/media-node.ts';
import type { OpenCall, SeenLiveState } from '../../domain/world.ts';
import type { Logger } from '../../telemetry.ts';

export interface JanitorDeps {
  /** Those that announce themselves now. @throws while Redis is away: a list from before would hide a node. */
  liveNodes(): Promise<readonly MediaNode[]>;
  /** @throws HoldfastError dependency_unavailable. */
  openCalls(): Promise<readonly OpenCall[]>;
  /** @returns false when the call had its end already. */
  closeAbandonedCall(call: { readonly tenantId: string; readonly callId: string }): Promise<boolean>;
  liveStates(): Promise<readonly SeenLiveState[]>;
  forgetLiveState(callId: string): Promise<void>;
  /** The call record id of the call that came with this channel. */
  callIdOf(channelId: string): string;
  /** Bearer token of the media nodes. */
  readonly controlSecret: string;
  readonly logger: Logger;
}
