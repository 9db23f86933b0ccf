/**
 * An external media channel over chan_websocket. The PBX answers the request before the channel is in
 * the application, and refuses to bridge it until then (422), so its StasisStart is waited for.
 */
import { HoldfastError } from '../../domain/errors.ts';
import type { ExternalMediaRequest } from './ari.ts';
import type { EventRouter } from './ari-events.ts';
import { statusOf, type AriRest } from './ari-rest.ts';

export interface ExternalMediaContext {
  readonly rest: AriRest;
  readonly events: Pick<EventRouter, 'waitForMediaChannel'>;
  readonly url: string;
  readonly app: string;
}

const CONNECTION_ID = 'MEDIA_WEBSOCKET_CONNECTION_ID';
const ENTER_TIMEOUT_MS = 3_000;

export async function createExternalMedia(context: ExternalMediaContext, request: ExternalMediaRequest): Promise<{ mediaUrl: string }> {
  const { rest, app } = context;
  const { channelId, format } = request;
  const entered = context.events.waitForMediaChannel(channelId, ENTER_TIMEOUT_MS);
  const created = await rest
    .request<{ channelvars?: Record<string, string> }>('channels', 'externalMedia', {
      channelId,
      app,
      format,
      transport: 'websocket',
      encapsulation: 'none',
      connection_type: 'server',
      external_host: 'INCOMING',
      transport_data: 'f(json)',
    })
    .catch((error: unknown) => {
      if (statusOf(error) === 409) return undefined;
      throw error;
    });
  // 409: an earlier request of ours made it, and may have consumed its StasisStart.
  const connectionId = created?.channelvars?.[CONNECTION_ID] ?? (await readConnectionId(rest, channelId));
  if (created !== undefined && !(await entered)) {
    throw new HoldfastError('ari_failed', 'The media channel did not enter the application in time', { retryable: true });
  }
  return { mediaUrl: mediaUrlFor(context.url, connectionId) };
}

async function readConnectionId(rest: AriRest, channelId: string): Promise<string> {
  const { value } = await rest.request<{ value: string }>('channels', 'getChannelVar', { channelId, variable: CONNECTION_ID });
  return value;
}

function mediaUrlFor(ariUrl: string, connectionId: string): string {
  const url = new URL(`/media/${encodeURIComponent(connectionId)}`, ariUrl);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
