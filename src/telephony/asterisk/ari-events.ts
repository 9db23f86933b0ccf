/**
 * Stasis events → what a media node wants to know. Unknown events are ignored, so that a newer PBX
 * cannot break an older node.
 */
import type { AriOptions } from './ari.ts';
import { isMediaChannelId } from './ari-ids.ts';
import type { AriSnapshot } from './ari-snapshot.ts';

export interface EventRouter {
  handle(event: { readonly type: string } & Record<string, unknown>): void;
  /** Reports callers' channels that vanished while nobody listened, and learns of media channels that came. */
  resync(snapshot: AriSnapshot): void;
  /** Resolves true once a media channel of ours is in the application; false after the time is up. */
  mediaChannelEntered(channelId: string, timeoutMs: number): Promise<boolean>;
}

type Listeners = Pick<AriOptions, 'onChannelEntered' | 'onChannelLeft' | 'onDtmf' | 'onReplaced' | 'app'>;

const channelIdOf = (event: Record<string, unknown>): string => (event['channel'] as { id?: string } | undefined)?.id ?? '';

export function createEventRouter(listeners: Listeners): EventRouter {
  /** Callers' channels in the application → hangup cause, once one was announced. */
  const present = new Map<string, number | null>();
  /** Our own media channels in the application, and who waits for one to come. */
  const media = new Set<string>();
  const waiting = new Map<string, Set<() => void>>();

  const mediaEntered = (channelId: string): void => {
    media.add(channelId);
    for (const wake of waiting.get(channelId) ?? []) wake();
  };

  const left = (channelId: string): void => {
    media.delete(channelId);
    const cause = present.get(channelId);
    if (cause === undefined) return;
    present.delete(channelId);
    listeners.onChannelLeft({ channelId, cause });
  };

  const handlers: Record<string, (channelId: string, event: Record<string, unknown>) => void> = {
    StasisStart(channelId, event) {
      if (isMediaChannelId(channelId)) {
        mediaEntered(channelId);
        return;
      }
      present.set(channelId, null);
      listeners.onChannelEntered({ channelId, args: (event['args'] as readonly string[] | undefined) ?? [] });
    },
    ChannelHangupRequest(channelId, event) {
      if (present.has(channelId)) present.set(channelId, causeOf(event));
    },
    StasisEnd: left,
    // Comes before or without StasisEnd when the channel dies outside of the application's hands.
    ChannelDestroyed(channelId, event) {
      if (present.get(channelId) === null) present.set(channelId, causeOf(event));
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
    resync(snapshot) {
      const alive = new Set(snapshot.channels.filter(({ inApp }) => inApp).map(({ id }) => id));
      for (const channelId of [...present.keys(), ...media]) if (!alive.has(channelId)) left(channelId);
      for (const { id, state } of snapshot.channels) if (isMediaChannelId(id) && alive.has(id) && state === 'Up') mediaEntered(id);
    },
    async mediaChannelEntered(channelId, timeoutMs) {
      if (media.has(channelId)) return true;
      const waiters = waiting.get(channelId) ?? new Set();
      waiting.set(channelId, waiters);
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const wake = (): void => resolve(true);
      const timer = setTimeout(() => resolve(false), timeoutMs);
      waiters.add(wake);
      const entered = await promise;
      clearTimeout(timer);
      waiters.delete(wake);
      if (waiters.size === 0) waiting.delete(channelId);
      return entered;
    },
  };
}

function causeOf(event: Record<string, unknown>): number {
  const cause = event['cause'];
  return typeof cause === 'number' && cause > 0 ? cause : 16;
}
