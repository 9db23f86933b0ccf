/** What a media node asks of the PBX; src/telephony/asterisk implements it over ARI. */
import type { TransferOutcome } from './turn-taking.ts';
import type { PbxInventory, Sweep } from '../contracts/pbx-inventory.ts';
import type { MediaLeg, MediaLegEvents } from './legs/leg.ts';

/** A call as its owner knows it: the node that holds it in this epoch. */
export interface OwnedCall {
  readonly callId: string;
  readonly epoch: number;
  /** The caller's channel. */
  readonly channelId: string;
}

export interface LegRequest extends OwnedCall {
  readonly events: MediaLegEvents;
}

/** Why a caller's channel is no longer ours: it ended, it lives on elsewhere, or the PBX itself went down with it. */
export type LeftBecause = 'hung_up' | 'moved' | 'pbx_lost';

/** `ours`: the caller is there and nobody with a higher epoch has taken them; `gone`: hung up. */
export type Standing = 'ours' | 'lost' | 'gone';

/**
 * Every command but `connect` and `takeOver` leaves a call alone that a higher epoch has taken over:
 * a node that was frozen for a while must not hang up on the caller of another one.
 */
export interface CallControl {
  /**
   * Answers the caller and joins them with a new media leg; the leg is ready when it resolves.
   * @throws HoldfastError channel_missing when the caller is gone, pbx_lost when the PBX does not answer.
   */
  connect(request: LegRequest): Promise<MediaLeg>;
  /**
   * The same for a caller who is in the middle of a call: takes the channel from the former owner,
   * removes its media channel, and joins caller and new leg in the call's bridge.
   * @throws HoldfastError stale_epoch when a newer owner has the call, channel_missing when the caller is gone.
   */
  takeOver(request: LegRequest): Promise<MediaLeg>;
  /**
   * Joins a caller of this node with a new leg because the former one was lost; tries until the PBX
   * has been silent for as long as a PBX may be.
   * @throws HoldfastError channel_missing, stale_epoch, or pbx_lost: it does not answer, or has been started afresh.
   */
  rejoin(request: LegRequest): Promise<MediaLeg>;
  standing(call: OwnedCall): Promise<Standing>;
  /** Tells the PBX who owns the call; `connect` and `takeOver` do it themselves. */
  claim(call: OwnedCall): Promise<void>;
  /** Hangs the caller up; a channel that is gone already is fine. Tried until the PBX answers, for a minute, as are the next two. */
  hangup(call: OwnedCall): Promise<void>;
  /** Removes the bridge and the media channels of a call. */
  release(call: OwnedCall): Promise<void>;
  /**
   * Sends the caller to a SIP address: they leave this application, hear it ring, and come back into it
   * when nobody answers there. The bridge of the call is gone then.
   * @param to checked: sip:user@host, see src/contracts/steering.ts.
   */
  startTransfer(call: OwnedCall, to: string): Promise<void>;
  /** Waits until it is known what became of it. */
  transferOutcome(call: OwnedCall, signal: AbortSignal): Promise<TransferOutcome>;
  /** Sends a caller whom nobody serves to the dialplan's spoken fallback. */
  giveBack(call: OwnedCall): Promise<void>;
}

/** What the janitor needs of the PBX (src/contracts/pbx-inventory.ts). */
export interface PbxKeeper {
  inventory(): Promise<PbxInventory>;
  /**
   * Callers go to the spoken fallback, media channels are hung up, bridges without a caller destroyed:
   * only what is Holdfast's, and only when `mayRemove` still says so at that moment.
   * @returns the ids that are gone, among them those that were gone already.
   */
  remove(things: Pick<Sweep, 'channels' | 'bridges'>, mayRemove: (thing: PbxThing) => boolean): Promise<string[]>;
}

export interface PbxThing {
  readonly id: string;
  /** Of a media channel or bridge; null for a caller. */
  readonly callId: string | null;
  readonly epoch: number | null;
}
