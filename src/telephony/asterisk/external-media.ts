/**
 * An external media channel over chan_websocket: the PBX is the server, the media node connects to the
 * URL that comes back. Asking again for the same channel id returns the same URL.
 *
 * The PBX itself must never see the same id twice: Asterisk 22.10.1 answers that with a segmentation
 * fault, and every call ends. So an id is looked up before it is created, and requests of this process
 * for the same id share one creation. Other processes use other ids (the epoch is part of it).
 */
import { HoldfastError } from '../../domain/errors.ts';
import type { ExternalMediaRequest } from './ari.ts';
import type { AriRest } from './ari-rest.ts';

interface Place {
  readonly rest: AriRest;
  readonly url: string;
  readonly app: string;
}
interface ExternalMedia {
  readonly mediaUrl: string;
}

const CONNECTION_ID = 'MEDIA_WEBSOCKET_CONNECTION_ID';

export function externalMediaCreator(place: Place): (request: ExternalMediaRequest) => Promise<ExternalMedia> {
  const pending = new Map<string, Promise<ExternalMedia>>();
  return (request) => {
    const earlier = pending.get(request.channelId);
    if (earlier !== undefined) return earlier;
    const work = findOrCreate(place, request).finally(() => pending.delete(request.channelId));
    pending.set(request.channelId, work);
    return work;
  };
}

async function findOrCreate({ rest, url, app }: Place, { channelId, format }: ExternalMediaRequest): Promise<ExternalMedia> {
  const existing = await connectionIdOf(rest, channelId);
  if (existing !== undefined) return { mediaUrl: mediaUrlFor(url, existing) };
  const created = await rest.request<{ channelvars?: Record<string, string> }>('channels', 'externalMedia', {
    channelId,
    app,
    format,
    transport: 'websocket',
    encapsulation: 'none',
    connection_type: 'server',
    external_host: 'INCOMING',
    transport_data: 'f(json)',
  });
  const connectionId = created.channelvars?.[CONNECTION_ID];
  if (connectionId === undefined) throw new HoldfastError('ari_failed', 'The PBX made a media channel without a connection id');
  return { mediaUrl: mediaUrlFor(url, connectionId) };
}

async function connectionIdOf(rest: AriRest, channelId: string): Promise<string | undefined> {
  try {
    return (await rest.request<{ value: string }>('channels', 'getChannelVar', { channelId, variable: CONNECTION_ID })).value;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'channel_missing') return undefined;
    throw error;
  }
}

function mediaUrlFor(ariUrl: string, connectionId: string): string {
  const url = new URL(`/media/${encodeURIComponent(connectionId)}`, ariUrl);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
