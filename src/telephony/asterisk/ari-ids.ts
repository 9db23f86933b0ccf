/** Ids that Holdfast chooses itself, so that a repeated request meets the thing it made before (409). */

const MEDIA_PREFIX = 'hf-media-';
export const BRIDGE_PREFIX = 'hf-bridge-';

/** One per call and epoch: a node that takes over makes its own and never meets its predecessor's. */
export const mediaChannelIdFor = (callId: string, epoch: number): string => `${MEDIA_PREFIX}${callId}-${epoch}`;

/** One per call: it outlives the media node, with the caller in it. */
export const bridgeIdFor = (callId: string): string => `${BRIDGE_PREFIX}${callId}`;

export const isMediaChannelId = (channelId: string): boolean => channelId.startsWith(MEDIA_PREFIX);
