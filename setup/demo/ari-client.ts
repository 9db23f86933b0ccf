/**
 * The few ARI requests and the event stream that the carrier needs. Deliberately thin: the carrier
 * lives as long as one demo or test, so nothing here reconnects.
 */
import { WebSocket } from 'ws';

export interface AriEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly channel?: { readonly id: string; readonly state: string };
  readonly cause?: number;
  readonly cause_txt?: string;
}

export interface AriClient {
  /** @returns the parsed body, or undefined for 204. @throws Error with method, path, status and ARI's words. */
  request<T>(method: 'GET' | 'POST' | 'DELETE', path: string, query?: Readonly<Record<string, string>>, body?: unknown): Promise<T>;
  /** Every event of one channel, until the returned function is called. */
  onChannel(channelId: string, listener: (event: AriEvent) => void): () => void;
  readonly credentials: { readonly username: string; readonly password: string };
  /** http://host:port */
  readonly url: string;
  close(): void;
}

export interface AriClientOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly app: string;
}

const REQUEST_TIMEOUT_MS = 5_000;

/** Connects the event stream, which also registers the Stasis application. */
export async function connectAri({ url, username, password, app }: AriClientOptions): Promise<AriClient> {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const listeners = new Map<string, (event: AriEvent) => void>();
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ari/events?app=${app}`, { headers: { authorization } });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  // Nobody will tell any more how these calls end.
  socket.on('close', () => {
    for (const [id, listener] of listeners)
      listener({ type: 'ChannelDestroyed', timestamp: new Date().toISOString(), channel: { id, state: 'Down' } });
  });
  socket.on('message', (data: Buffer) => {
    const event = JSON.parse(data.toString()) as AriEvent;
    if (event.channel !== undefined) listeners.get(event.channel.id)?.(event);
  });
  return {
    url,
    credentials: { username, password },
    async request<T>(method: string, path: string, query: Readonly<Record<string, string>> = {}, body?: unknown): Promise<T> {
      const search = new URLSearchParams(query).toString();
      const response = await fetch(`${url}/ari${path}${search === '' ? '' : `?${search}`}`, {
        method,
        headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`ARI ${method} ${path}: ${response.status} ${text.slice(0, 200)}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    onChannel(channelId, listener) {
      listeners.set(channelId, listener);
      return () => void listeners.delete(channelId);
    },
    close: () => socket.close(),
  };
}
