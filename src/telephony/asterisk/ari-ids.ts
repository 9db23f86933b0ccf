/** Names that Holdfast chooses itself for what it makes in the PBX. */
import { randomBytes } from 'node:crypto';

/** On the caller's channel: "{epoch}:{node id}", who holds the call. */
export const OWNER_VARIABLE = 'HOLDFAST_OWNER';

const MEDIA_PREFIX = 'hf-media-';
export const BRIDGE_PREFIX = 'hf-bridge-';

/**
 * Never the same twice: Asterisk 22.10.1 answers an external media channel with a known id with a
 * segmentation fault, and every call ends.
 */
export const newMediaChannelId = ({ callId, epoch }: { readonly callId: string; readonly epoch: number }): string =>
  `${MEDIA_PREFIX}${callId}-${epoch}-${randomBytes(4).toString('hex')}`;

/** One per call: it outlives the media node, with the caller in it. */
export const bridgeIdFor = (callId: string): string => `${BRIDGE_PREFIX}${callId}`;

export const isMediaChannelId = (channelId: string): boolean => channelId.startsWith(MEDIA_PREFIX);

/** Null when the id is not a media channel's. */
export function callOfMediaChannel(channelId: string): { readonly callId: string; readonly epoch: number } | null {
  const match = /^hf-media-(.+)-(\d+)-[0-9a-f]{8}$/.exec(channelId);
  return match === null ? null : { callId: match[1] as string, epoch: Number(match[2]) };
}

/** Null when the id is not a bridge of Holdfast. */
export const callOfBridge = (bridgeId: string): string | null =>
  bridgeId.startsWith(BRIDGE_PREFIX) ? bridgeId.slice(BRIDGE_PREFIX.length) : null;
