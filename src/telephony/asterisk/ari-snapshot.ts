import type { AriRest } from './ari-rest.ts';
import { statusOf } from './ari-rest.ts';

/** What the PBX holds right now. */
export interface AriSnapshot {
  readonly channels: readonly {
    readonly id: string;
    /** As ARI names it: Ring, Up, … */
    readonly state: string;
    /** Belongs to this node's application. */
    readonly inApp: boolean;
  }[];
  readonly bridges: readonly { readonly id: string; readonly channelIds: readonly string[] }[];
}

interface Channel {
  readonly id: string;
  readonly state: string;
}
interface Bridge {
  readonly id: string;
  readonly channels: readonly string[];
}

export async function takeSnapshot(rest: AriRest, app: string): Promise<AriSnapshot> {
  const [channels, bridges, own] = await Promise.all([
    rest.request<readonly Channel[]>('channels', 'list'),
    rest.request<readonly Bridge[]>('bridges', 'list'),
    rest.request<{ channel_ids: readonly string[] }>('applications', 'get', { applicationName: app }).catch((error: unknown) => {
      if (statusOf(error) === 404) return { channel_ids: [] };
      throw error;
    }),
  ]);
  const ownIds = new Set(own.channel_ids);
  return {
    channels: channels.map(({ id, state }) => ({ id, state, inApp: ownIds.has(id) })),
    bridges: bridges.map(({ id, channels: channelIds }) => ({ id, channelIds })),
  };
}
