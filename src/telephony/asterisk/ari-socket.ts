/**
 * The event socket of one Stasis application: reconnects for ever, with jitter, and never throws on
 * an event it does not know. ari-client's own socket gives up after ten attempts and dies of unknown
 * events, so it is not used.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { HoldfastError } from '../../domain/errors.ts';
import { errorFacts, type Logger } from '../../telemetry.ts';

export interface AriSocketOptions {
  readonly url: string;
  readonly authorization: string;
  readonly app: string;
  readonly logger: Logger;
  /** GET /asterisk/ping; a rejection (or a missing pong) drops the socket. */
  readonly ping: () => Promise<void>;
  readonly pingIntervalMs: number;
  readonly onEvent: (event: { readonly type: string } & Record<string, unknown>) => void;
  /** After each connect, before the next one: what happened in the gap has to be asked for. */
  readonly onOpen: () => Promise<void>;
}

export interface AriSocket {
  /** Resolves when first connected. */
  readonly opened: Promise<void>;
  readonly connected: boolean;
  close(): Promise<void>;
}

const HANDSHAKE_TIMEOUT_MS = 2_000;
const MAX_EVENT_BYTES = 1_048_576;
const MISSED_PONGS = 2;
const FIRST_DELAY_MS = 100;
/** Callers may arrive as soon as the PBX is back. */
const MAX_DELAY_MS = 1_000;

export function openAriSocket(options: AriSocketOptions): AriSocket {
  const closing = new AbortController();
  let current: WebSocket | undefined;
  let connected = false;
  let attempt = 0;
  const first = Promise.withResolvers<void>();

  const hold = async (socket: WebSocket): Promise<void> => {
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const open = await Promise.race([new Promise<true>((resolve) => socket.once('open', () => resolve(true))), gone]);
    if (open !== true) return;
    connected = true;
    attempt = 0;
    const watchdog = watch(socket, options);
    try {
      await options.onOpen();
      first.resolve();
    } catch (error) {
      options.logger.warn({ error: errorFacts(error) }, 'ari resync failed');
      socket.terminate();
    }
    await gone;
    clearInterval(watchdog);
    connected = false;
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      current = connect(options);
      await hold(current);
      if (closing.signal.aborted) break;
      const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt++) * (0.5 + Math.random() / 2);
      options.logger.warn({ delayMs: Math.round(delayMs), attempt }, 'ari event socket closed, reconnecting');
      await sleep(delayMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
    first.reject(new HoldfastError('ari_failed', 'The ARI connection was closed', { retryable: true }));
  };
  first.promise.catch(() => undefined);
  const running = run();

  return {
    opened: first.promise,
    get connected() {
      return connected;
    },
    async close() {
      closing.abort();
      current?.terminate();
      await running;
    },
  };
}

function connect({ url, authorization, app, logger, onEvent }: AriSocketOptions): WebSocket {
  const target = new URL('/ari/events', url);
  target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:';
  target.searchParams.set('app', app);
  // The credentials travel in a header: a URL ends up in logs.
  const socket = new WebSocket(target, {
    headers: { authorization },
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxPayload: MAX_EVENT_BYTES,
    perMessageDeflate: false,
  });
  socket.on('error', (error) => logger.warn({ error: error.message }, 'ari event socket error'));
  socket.on('message', (data: Buffer) => {
    try {
      const event: unknown = JSON.parse(data.toString('utf8'));
      if (typeof event === 'object' && event !== null && 'type' in event && typeof event.type === 'string') {
        onEvent(event as { type: string } & Record<string, unknown>);
      }
    } catch (error) {
      logger.error({ error: errorFacts(error) }, 'ari event could not be handled');
    }
  });
  return socket;
}

/** A PBX that hangs keeps its sockets open: only a question it must answer finds out. */
function watch(socket: WebSocket, { ping, pingIntervalMs, logger }: AriSocketOptions): NodeJS.Timeout {
  let unanswered = 0;
  let asking = false;
  socket.on('pong', () => (unanswered = 0));
  const drop = (reason: string): void => {
    logger.warn({ reason }, 'ari watchdog drops the event socket');
    socket.terminate();
  };
  return setInterval(() => {
    if (unanswered >= MISSED_PONGS) return drop('no pong');
    unanswered += 1;
    socket.ping();
    if (asking) return;
    asking = true;
    ping().then(
      () => (asking = false),
      () => {
        asking = false;
        drop('no answer to ping');
      },
    );
  }, pingIntervalMs);
}
