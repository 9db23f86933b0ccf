/** What a media node asks of the PBX; src/telephony/asterisk implements it over ARI. */
import type { MediaLeg, MediaLegEvents } from './legs/leg.ts';

export interface LegRequest {
  readonly callId: string;
  readonly epoch: number;
  readonly channelId: string;
  readonly events: MediaLegEvents;
}

export interface CallControl {
  /** Answers the caller and joins them with a new media leg; the leg is ready when it resolves. */
  connect(request: LegRequest): Promise<MediaLeg>;
  /** Hangs the caller up; a channel that is gone already is fine. */
  hangup(channelId: string): Promise<void>;
  /** Removes the bridge and the media channel of a call. */
  release(call: { readonly callId: string; readonly epoch: number }): Promise<void>;
  /** Sends a caller whom nobody serves to the dialplan's spoken fallback. */
  giveBack(channelId: string): Promise<void>;
}
