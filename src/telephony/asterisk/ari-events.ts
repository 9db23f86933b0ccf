/**
 * Stasis events → what a media node wants to know. Unknown events are ignored, so that a newer PBX
 * cannot break an older node.
 */
import type { AriOptions } from './ari.ts';
import { isMediaChannelId } from './ari-ids.ts';
import type { AriSnapshot } from './ari-snapshot.ts';

export interface EventRouter {
  handle(event: { readonly type: string } & Record<string, unknown>): void;
  /** Reports channels that vanished while nobody listened. */
  resync(snapshot: AriSnapshot): void;
  /** Resolves true when a channel of our own making enters the application; false after the time is up. */
  waitForMediaChannel(channelId: string, timeoutMs: number): Promise<boolean>;
}

type Listeners = Pick<AriOptions, 'onChannelEntered' | 'onChannelLeft' | 'onDtmf' | 'onReplaced' | 'app'>;

const channelIdOf = (event: Record<string, unknown>): string => (event['channel'] as { id?: string } | undefined)?.id ?? '';

export function createEventRouter(listeners: Listeners): EventRouter {
  /** Callers' channels in the application → hangup cause, once one was announced. */
  const present = new Map<string, number | null>();
  const waiting = new Map<string, (entered: boolean) => void>();

  const left = (channelId: string): void => {
    const cause = present.get(channelId);
    if (cause === undefined) return;
    present.delete(channelId);
    listeners.onChannelLeft({ channelId, cause });
  };

  const handlers: Record<string, (channelId: string, event: Record<string, unknown>) => void> = {
    StasisStart(channelId, event) {
      if (isMediaChannelId(channelId)) {
        waiting.get(channelId)?.(true);
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
      if (present.has(channelId)) listeners.onDtmf?.({ channelId, digit: String(event['digit'] ?? '') });
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
      for (const channelId of [...present.keys()]) if (!alive.has(channelId)) left(channelId);
    },
    waitForMediaChannel(channelId, timeoutMs) {
      return new Promise((resolve) => {
        const settle = (entered: boolean): void => {
          clearTimeout(timer);
          waiting.delete(channelId);
          resolve(entered);
        };
        const timer = setTimeout(() => settle(false), timeoutMs);
        waiting.set(channelId, settle);
      });
    },
  };
}

function causeOf(event: Record<string, unknown>): number {
  const cause = event['cause'];
  return typeof cause === 'number' && cause > 0 ? cause : 16;
}
