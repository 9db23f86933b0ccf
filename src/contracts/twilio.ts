/**
 * Calls of Twilio: no channel of the PBX, but a media stream that Twilio opens to the node it is told.
 *
 *   POST /webhooks/twilio/voice            a call arrives       → <Connect><Stream url="{streamUrl}/{call record id}"/></Connect><Redirect>
 *   POST …?after={epoch}&tries={n}         its stream has ended → the stream of who has the call now, or <Hangup/>
 *
 * The channel id of such a call is `twilio:{CallSid}`; the call record id follows from it.
 */
import type { MediaNode } from './media-node.ts';

export const TWILIO_VOICE_PATH = '/webhooks/twilio/voice';
/** Parameter of the stream that carries the call record id. */
export const CALL_PARAMETER = 'call_record_id';
/** Streams of one call that may end before the caller hears an apology. */
export const STREAM_TRIES = 10;

const CHANNEL_PREFIX = 'twilio:';

export const twilioChannelId = (callSid: string): string => `${CHANNEL_PREFIX}${callSid}`;
export const isTwilioChannel = (channelId: string): boolean => channelId.startsWith(CHANNEL_PREFIX);
export const callSidOf = (channelId: string): string => channelId.slice(CHANNEL_PREFIX.length);

/** Where Twilio goes on once the stream of this epoch has ended. @param publicUrl of the API. */
export const goOnUrl = (publicUrl: string, { after, tries }: { after: number; tries: number }): string =>
  `${publicUrl}${TWILIO_VOICE_PATH}?after=${after}&tries=${tries}`;

/** Whether a node can hold a call that comes over this channel. */
export const carries = (node: Pick<MediaNode, 'streamUrl'>, channelId: string): boolean =>
  !isTwilioChannel(channelId) || node.streamUrl !== undefined;
