/**
 * What a media node asks of the PBX.
 *
 *   connectAri(options): Promise<Ari>          mediaChannelIdFor(callId, epoch), bridgeIdFor(callId): ari-ids.ts
 *
 * Every method throws HoldfastError: channel_missing when the channel is gone, else ari_failed with
 * `retryable` decided. Repeating a create, add or destroy is harmless. One PBX user per process (see
 * ari-rest.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../domain/errors.ts';
import type { LeftBecause } from '../../media/call-control.ts';
import type { Logger } from '../../telemetry.ts';
import { createEventRouter, type EventRouter } from './ari-events.ts';
import { isMediaChannelId } from './ari-ids.ts';
import { basicAuthorization, loadAriRest, statusOf, type AriRest, type AriRestOptions } from './ari-rest.ts';
import { openAriSocket } from './ari-socket.ts';
import { externalMediaCreator } from './external-media.ts';
import { pbxStartedAt, takeSnapshot, type AriSnapshot } from './ari-snapshot.ts';

export type { AriSnapshot } from './ari-snapshot.ts';

export interface AriOptions {
  /** http://host:port, without /ari. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** The Stasis application of this node. The last process to connect with a name owns it. */
  readonly app: string;
  readonly logger: Logger;
  /** A caller's channel entered the application, by the dialplan or by a move. Never our own media channels. */
  readonly onChannelEntered: (event: { readonly channelId: string; readonly args: readonly string[] }) => void;
  /** It left. `cause` is Q.850 (16 = the caller hung up); null when it lives on elsewhere, or when that is unknown. */
  readonly onChannelLeft: (event: { readonly channelId: string; readonly cause: number | null; readonly because: LeftBecause }) => void;
  readonly onDtmf?: (event: { readonly channelId: string; readonly digit: string }) => void;
  /** Connected again after a gap. What came and left in the gap has been reported already. */
  readonly onReconnected?: (snapshot: AriSnapshot) => void;
  /** Another process connected with the same application name: events go there now. */
  readonly onReplaced?: () => void;
  /** Per REST request. */
  readonly requestTimeoutMs?: number;
  readonly pingIntervalMs?: number;
  /** How long the PBX may take to come up at the first connect. Default 0: it has to be there. */
  readonly connectWithinMs?: number;
}

export interface ExternalMediaRequest {
  readonly channelId: string;
  readonly format: 'slin16' | 'slin' | 'ulaw';
}

export interface Ari {
  readonly app: string;
  readonly connected: boolean;
  answer(channelId: string): Promise<void>;
  /** A channel that is gone already counts as hung up. `reason` as ARI names it. */
  hangup(channelId: string, reason?: 'normal' | 'busy' | 'congestion' | 'no_answer'): Promise<void>;
  /** Makes a chan_websocket channel, which enters this application once a leg has connected to `mediaUrl`. */
  createExternalMedia(request: ExternalMediaRequest): Promise<{ readonly mediaUrl: string }>;
  createBridge(bridgeId: string): Promise<void>;
  /** Waits for media channels of ours whose leg has only just connected: the PBX refuses them too early. */
  addToBridge(bridgeId: string, channelIds: readonly string[]): Promise<void>;
  destroyBridge(bridgeId: string): Promise<void>;
  /** Takes a channel over into this application, even from one that is dead; it enters with these arguments. */
  moveChannel(channelId: string, args: readonly string[]): Promise<void>;
  /** The caller's channel is in this application, as far as events have told. */
  holds(channelId: string): boolean;
  /** Null when the variable is not set. @throws HoldfastError channel_missing. */
  getVariable(channelId: string, variable: string): Promise<string | null>;
  setVariable(channelId: string, variable: string, value: string): Promise<void>;
  /** Channels in a bridge; none when the bridge does not exist. */
  bridgedChannels(bridgeId: string): Promise<readonly string[]>;
  continueInDialplan(
    channelId: string,
    target: { readonly context: string; readonly extension: string; readonly priority: number },
  ): Promise<void>;
  ping(): Promise<void>;
  snapshot(): Promise<AriSnapshot>;
  /** The PBX has been started afresh since its events were last followed: what it held is gone. */
  restarted(): Promise<boolean>;
  /** Channels and bridges stay as they are. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 3_000;
/** A PBX that hangs is noticed after two to three of these. */
const PING_INTERVAL_MS = 700;
const ENTER_TIMEOUT_MS = 3_000;
const CONNECT_PAUSE_MS = 500;

/** @throws HoldfastError ari_failed when the PBX cannot be reached now (retryable) or refuses the credentials. */
export async function connectAri(options: AriOptions): Promise<Ari> {
  const { url, username, password, app, logger } = options;
  const rest = await loadRest(options, { url, username, password, timeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS });
  const events = createEventRouter(options);
  const ping = async (): Promise<void> => void (await rest.request('asterisk', 'ping'));
  const snapshot = (): Promise<AriSnapshot> => takeSnapshot(rest, app);
  let knownStart: string | undefined;
  const socket = openAriSocket({
    url,
    authorization: basicAuthorization(username, password),
    app,
    logger,
    ping,
    pingIntervalMs: options.pingIntervalMs ?? PING_INTERVAL_MS,
    onEvent: (event) => events.handle(event),
    onOpen: async () => {
      const [before, start] = [knownStart, await pbxStartedAt(rest)];
      knownStart = start;
      if (before === undefined) return;
      if (start !== before) {
        logger.warn({ event: 'pbx_restarted' }, 'The PBX has been started again: its calls are over');
        events.pbxRestarted();
      }
      const now = await snapshot();
      events.resync(now);
      options.onReconnected?.(now);
    },
  });
  await socket.opened;
  return {
    app,
    get connected() {
      return socket.connected;
    },
    ping,
    snapshot,
    restarted: async () => (await pbxStartedAt(rest)) !== knownStart,
    holds: (channelId) => events.holds(channelId),
    createExternalMedia: externalMediaCreator({ rest, url, app }),
    ...channelCommands(rest, app),
    ...bridgeCommands(rest, events),
    close: () => socket.close(),
    [Symbol.asyncDispose]: () => socket.close(),
  };
}

async function loadRest({ connectWithinMs = 0, logger }: AriOptions, options: AriRestOptions): Promise<AriRest> {
  const deadline = Date.now() + connectWithinMs;
  for (let told = false; ; told = true) {
    try {
      return await loadAriRest(options);
    } catch (error) {
      const again = error instanceof HoldfastError && error.retryable && Date.now() < deadline;
      if (!again) throw error;
      if (!told) logger.info({ event: 'waiting_for_pbx' }, 'Waiting for the PBX');
      await sleep(CONNECT_PAUSE_MS);
    }
  }
}

function channelCommands(
  rest: AriRest,
  app: string,
): Pick<Ari, 'answer' | 'hangup' | 'moveChannel' | 'getVariable' | 'setVariable' | 'continueInDialplan'> {
  return {
    async answer(channelId) {
      await rest.request('channels', 'answer', { channelId });
    },
    async hangup(channelId, reason = 'normal') {
      await rest.request('channels', 'hangup', { channelId, reason }).catch(unlessStatus(404));
    },
    async moveChannel(channelId, args) {
      await rest.request('channels', 'move', { channelId, app, appArgs: args.join(',') });
    },
    async getVariable(channelId, variable) {
      // 404 is said of a channel that is gone, and of a variable that was never set.
      const answer = await rest
        .request<{ value: string }>('channels', 'getChannelVar', { channelId, variable })
        .catch(async (error: unknown) => {
          if (statusOf(error) !== 404) throw error;
          await rest.request('channels', 'get', { channelId });
          return { value: '' };
        });
      return answer.value === '' ? null : answer.value;
    },
    async setVariable(channelId, variable, value) {
      await rest.request('channels', 'setChannelVar', { channelId, variable, value });
    },
    async continueInDialplan(channelId, target) {
      await rest.request('channels', 'continueInDialplan', { channelId, ...target });
    },
  };
}

function bridgeCommands(
  rest: AriRest,
  events: EventRouter,
): Pick<Ari, 'createBridge' | 'addToBridge' | 'destroyBridge' | 'bridgedChannels'> {
  return {
    async createBridge(bridgeId) {
      await rest.request('bridges', 'createWithId', { bridgeId, type: 'mixing' }).catch(unlessStatus(409));
    },
    async addToBridge(bridgeId, channelIds) {
      for (const channelId of channelIds.filter(isMediaChannelId)) {
        if (await events.mediaChannelEntered(channelId, ENTER_TIMEOUT_MS)) continue;
        throw new HoldfastError('ari_failed', 'The media channel did not enter the application in time', { retryable: true });
      }
      await rest.request('bridges', 'addChannel', { bridgeId, channel: channelIds.join(',') }).catch((error: unknown) => {
        // The PBX says 400 when a channel of the list is gone, 404 for the bridge.
        if (statusOf(error) !== 400) throw error;
        throw new HoldfastError('channel_missing', 'A channel is gone and cannot be bridged', { cause: error });
      });
    },
    async bridgedChannels(bridgeId) {
      const bridge = await rest.request<{ channels: readonly string[] }>('bridges', 'get', { bridgeId }).catch((error: unknown) => {
        if (statusOf(error) === 404) return { channels: [] };
        throw error;
      });
      return bridge.channels;
    },
    async destroyBridge(bridgeId) {
      await rest.request('bridges', 'destroy', { bridgeId }).catch(unlessStatus(404));
    },
  };
}

/** For commands whose aim is reached already when the PBX answers with this status. */
function unlessStatus(status: number): (error: unknown) => void {
  return (error) => {
    if (statusOf(error) !== status) throw error;
  };
}
