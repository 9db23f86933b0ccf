/**
 * REST calls to the PBX through ari-client, whose methods come from the PBX's own description. This
 * is the only file that imports it. What ari-client 2.2.0 leaves open is closed here:
 *   - a refused connection never settles its promise: a call that gets no answer soon is followed by a
 *     question that would, and every call has a deadline;
 *   - its errors lose the HTTP status: operations are called one layer below, where it is known;
 *   - its credentials live in one slot per process: one PBX (one user) per process.
 */
import { connect } from 'node:net';
import ariClient, { type Client, type SwaggerResponse } from 'ari-client';
import { HoldfastError } from '../../domain/errors.ts';

export interface AriRestOptions {
  /** http://host:port, without /ari. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly timeoutMs: number;
}

export interface AriRest {
  /**
   * One REST operation, e.g. `request('channels', 'answer', { channelId })`.
   * @throws HoldfastError channel_missing (404 on a channel) or ari_failed; `details.status` is the HTTP
   * status, absent when there was no answer.
   */
  request<T = unknown>(resource: string, operation: string, parameters?: Record<string, unknown>): Promise<T>;
}

/** A command that is not answered by then makes one ask whether anybody is there. */
const DOUBT_MS = 250;

/** swagger-client prints through this global of its own, on every connect, that ARI's description has an old format. */
Object.assign(globalThis, { log: () => undefined });

/** @throws HoldfastError ari_failed; retryable unless the PBX refused the credentials. */
export async function loadAriRest(options: AriRestOptions): Promise<AriRest> {
  await probe(options);
  const connecting = ariClient.connect(options.url, options.username, options.password);
  const client = await deadline(Promise.resolve(connecting), options.timeoutMs, { operation: 'api-docs' });
  return {
    request: (resource, operation, parameters = {}) =>
      deadline(invoke(client, `${resource}.${operation}`, parameters), options.timeoutMs, {
        operation: `${resource}.${operation}`,
        isRefused: () => isRefused(options),
      }),
  };
}

/** One question of each module that Holdfast needs: a PBX loads them one after the other while it already answers. */
const PROBES = ['asterisk/ping', 'applications', 'bridges', 'channels'];

/** ari-client reports a wrong password and a PBX that is down alike; the difference matters to who starts it. */
async function probe({ url, username, password, timeoutMs }: AriRestOptions): Promise<void> {
  const authorization = basicAuthorization(username, password);
  for (const path of PROBES) {
    const response = await fetch(new URL(`/ari/${path}`, url), {
      headers: { authorization },
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: unknown) => {
      throw new HoldfastError('ari_failed', 'The PBX does not answer', { retryable: true, cause: error, details: { answered: false } });
    });
    await response.body?.cancel();
    if (response.status === 404) throw stillLoading(path);
    if (!response.ok) throw failure(path, response.status, '');
  }
}

const stillLoading = (path: string): HoldfastError =>
  new HoldfastError('ari_failed', `The PBX has not loaded ${path} (yet)`, { retryable: true, details: { status: 404 } });

export const basicAuthorization = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

function invoke<T>(client: Client, name: string, parameters: Record<string, unknown>): Promise<T> {
  const [resource = '', operation = ''] = name.split('.');
  const call = client._swagger.apis[resource]?.[operation];
  if (call === undefined) throw new HoldfastError('ari_failed', `This PBX has no ARI operation ${name}`);
  return new Promise<T>((resolve, reject) => {
    call(
      parameters,
      (response) => resolve(parseBody(response) as T),
      (response) => {
        if (typeof response !== 'object') reject(new HoldfastError('ari_failed', `${name}: ${response ?? 'failed'}`));
        else reject(failure(name, response.status, messageOf(response)));
      },
    );
  });
}

const bodyOf = (response: SwaggerResponse): string => response.data?.toString('utf-8') ?? '';

function parseBody(response: SwaggerResponse): unknown {
  const body = bodyOf(response);
  return body === '' ? undefined : JSON.parse(body);
}

function messageOf(response: SwaggerResponse): string {
  try {
    return (JSON.parse(bodyOf(response)) as { message?: string }).message ?? '';
  } catch {
    return '';
  }
}

function failure(operation: string, status: number, message: string): HoldfastError {
  const gone = status === 404 && operation.startsWith('channels.');
  // 409 is "not in Stasis (yet)" and passes by itself; other 4xx are our mistake and stay one.
  const retryable = !gone && (status >= 500 || status === 409);
  return new HoldfastError(gone ? 'channel_missing' : 'ari_failed', `${operation}: HTTP ${status} ${message}`.trim(), {
    retryable,
    details: { status, operation },
  });
}

interface Patience {
  readonly operation: string;
  readonly isRefused?: () => Promise<boolean>;
}

function deadline<T>(work: Promise<T>, timeoutMs: number, { operation, isRefused: refused }: Patience): Promise<T> {
  return new Promise((resolve, reject) => {
    const unanswered = (why: string): void =>
      reject(new HoldfastError('ari_failed', `${operation}: ${why}`, { retryable: true, details: { operation, answered: false } }));
    const timer = setTimeout(() => unanswered(`no answer within ${timeoutMs} ms`), timeoutMs);
    const doubt = setTimeout(() => void refused?.().then((yes) => yes && unanswered('the connection was refused')), DOUBT_MS);
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      clearTimeout(doubt);
    });
  });
}

/** Nobody listens there: the PBX is not running. */
async function isRefused({ url, timeoutMs }: AriRestOptions): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80), timeout: timeoutMs });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('connect', () => resolve(false));
  socket.once('timeout', () => resolve(false));
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  return promise.finally(() => socket.destroy());
}

/** True of an error that means: the PBX said nothing at all. */
export const isUnanswered = (error: unknown): boolean => error instanceof HoldfastError && error.details['answered'] === false;

export const statusOf = (error: unknown): unknown => (error instanceof HoldfastError ? error.details['status'] : undefined);
