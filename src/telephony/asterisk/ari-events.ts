/**
 * Stasis events → what a media node wants to know. Unknown events are ignored, so that a newer PBX
 * cannot break an older node.
 */
import type { AriOptions } from './ari.ts';
import type { LeftBecause } from '../../media/call-control.ts';
import { isMediaChannelId } from './ari-ids.ts';
import type { AriSnapshot } from './ari-snapshot.ts';

export interface EventRouter {
  handle(event: { readonly type: string } & Record<string, unknown>): void;
  /** The caller's channel is in this node's application, as far as events have told. */
  holds(channelId: string): boolean;
  /** What nobody heard of in a gap: callers' channels that came, were moved or vanished, media channels that came. */
  resync(snapshot: AriSnapshot): void;
  /** It has started afresh: whatever was in it before is gone. */
  pbxRestarted(): void;
  /** Resolves true once a media channel of ours is in the application; false after the time is up. */
  mediaChannelEntered(channelId: string, timeoutMs: number): Promise<boolean>;
}

type Listeners = Pick<AriOptions, 'onChannelEntered' | 'onChannelLeft' | 'onDtmf' | 'onReplaced' | 'app'>;

/** Of `soft` hang-up requests `cause` is a set of flags; this one says that the PBX is shutting down. */
const SOFT_HANGUP_SHUTDOWN = 4;

interface Departure {
  /** Q.850; null until a hang-up was announced. */
  cause: number | null;
  because: LeftBecause;
}

const channelIdOf = (event: Record<string, unknown>): string => (event['channel'] as { id?: string } | undefined)?.id ?? '';

export function createEventRouter(listeners: Listeners): EventRouter {
  /** Callers' channels in the application, and how each would leave it if it left now. */
  const present = new Map<string, Departure>();
  /** Reported by a resync; an event of their entering may still be on its way. */
  const foundInGap = new Set<string>();
  /** Our own media channels in the application, and who waits for one to come. */
  const media = new Set<string>();
  const waiting = new Map<string, Set<() => void>>();

  const mediaEntered = (channelId: string): void => {
    media.add(channelId);
    for (const wake of waiting.get(channelId) ?? []) wake();
  };

  const entered = (channelId: string, args: readonly string[]): void => {
    present.set(channelId, { cause: null, because: 'moved' });
    listeners.onChannelEntered({ channelId, args });
  };

  const left = (channelId: string, because?: LeftBecause): void => {
    media.delete(channelId);
    foundInGap.delete(channelId);
    const departure = present.get(channelId);
    if (departure === undefined) return;
    present.delete(channelId);
    listeners.onChannelLeft({ channelId, ...departure, ...(because === undefined ? {} : { because }) });
  };

  const leaving = (channelId: string, event: Record<string, unknown>): void => {
    const departure = present.get(channelId);
    if (departure !== undefined) Object.assign(departure, departureOf(event));
  };

  const handlers: Record<string, (channelId: string, event: Record<string, unknown>) => void> = {
    StasisStart(channelId, event) {
      if (isMediaChannelId(channelId)) {
        mediaEntered(channelId);
        return;
      }
      if (foundInGap.delete(channelId)) return;
      entered(channelId, (event['args'] as readonly string[] | undefined) ?? []);
    },
    ChannelHangupRequest: leaving,
    StasisEnd: (channelId) => left(channelId),
    // Comes before or without StasisEnd when the channel dies outside of the application's hands.
    ChannelDestroyed(channelId, event) {
      if (present.get(channelId)?.because === 'moved') leaving(channelId, event);
      left(channelId);
    },
    ChannelDtmfReceived(channelId, event) {
      const digit = event['digit'];
      if (present.has(channelId) && typeof digit === 'string') listeners.onDtmf?.({ channelId, digit });
    },
    ApplicationReplaced() {
      listeners.onReplaced?.();
    },
  };

  return {
    handle(event) {
      if (Object.hasOwn(handlers, event.type)) handlers[event.type]?.(channelIdOf(event), event);
    },
    holds: (channelId) => present.has(channelId),
    resync(snapshot) {
      const known = new Map(snapshot.channels.map((channel) => [channel.id, channel]));
      for (const id of [...present.keys(), ...media]) {
        const channel = known.get(id);
        if (channel?.inApp !== true) left(id, channel === undefined ? 'hung_up' : 'moved');
      }
      for (const { id, state, inApp, stasisArgs } of known.values()) {
        if (!inApp) continue;
        if (isMediaChannelId(id)) {
          if (state === 'Up') mediaEntered(id);
        } else if (!present.has(id)) {
          foundInGap.add(id);
          entered(id, stasisArgs);
        }
      }
    },
    pbxRestarted() {
      for (const id of [...present.keys(), ...media]) left(id, 'pbx_lost');
    },
    async mediaChannelEntered(channelId, timeoutMs) {
      if (media.has(channelId)) return true;
      const waiters = waiting.get(channelId) ?? new Set();
      waiting.set(channelId, waiters);
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const wake = (): void => resolve(true);
      const timer = setTimeout(() => resolve(false), timeoutMs);
      waiters.add(wake);
      const came = await promise;
      clearTimeout(timer);
      waiters.delete(wake);
      if (waiters.size === 0) waiting.delete(channelId);
      return came;
    },
  };
}

function departureOf(event: Record<string, unknown>): Departure {
  const cause = typeof event['cause'] === 'number' ? event['cause'] : 0;
  if (event['soft'] === true) return { cause: null, because: (cause & SOFT_HANGUP_SHUTDOWN) === 0 ? 'hung_up' : 'pbx_lost' };
  return { cause: cause > 0 ? cause : 16, because: 'hung_up' };
}
