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
    /** The application that holds it, this node's or another's; null in the dialplan. After a move it is the one it came to first. */
    readonly stasisApp: string | null;
    /** What the dialplan handed over with it; empty for a channel that is not in Stasis. */
    readonly stasisArgs: readonly string[];
  }[];
  readonly bridges: readonly { readonly id: string; readonly channelIds: readonly string[] }[];
}

interface Channel {
  readonly id: string;
  readonly state: string;
  /** `app_data` of Stasis: "<application>,<argument>,…". */
  readonly dialplan?: { readonly app_name?: string; readonly app_data?: string };
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
    channels: channels.map((channel) => ({
      id: channel.id,
      state: channel.state,
      inApp: ownIds.has(channel.id),
      stasisApp: stasisAppOf(channel),
      stasisArgs: stasisArgsOf(channel),
    })),
    bridges: bridges.map(({ id, channels: channelIds }) => ({ id, channelIds })),
  };
}

function stasisAppOf({ dialplan }: Channel): string | null {
  return dialplan?.app_name === 'Stasis' ? ((dialplan.app_data ?? '').split(',')[0] ?? null) : null;
}

function stasisArgsOf({ dialplan }: Channel): readonly string[] {
  return dialplan?.app_name === 'Stasis' ? (dialplan.app_data ?? '').split(',').slice(1) : [];
}

/** Another value than before: the PBX has been started again, and what it held is gone. */
export async function pbxStartedAt(rest: AriRest): Promise<string> {
  const { status } = await rest.request<{ status?: { startup_time?: string } }>('asterisk', 'getInfo', { only: 'status' });
  return status?.startup_time ?? '';
}
