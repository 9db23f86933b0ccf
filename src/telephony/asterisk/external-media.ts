/**
 * An external media channel over chan_websocket: the PBX is the server, the media node connects to the
 * URL that comes back.
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

export function externalMediaCreator({ rest, url, app }: Place): (request: ExternalMediaRequest) => Promise<ExternalMedia> {
  return async ({ channelId, format }) => {
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
  };
}

function mediaUrlFor(ariUrl: string, connectionId: string): string {
  const url = new URL(`/media/${encodeURIComponent(connectionId)}`, ariUrl);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
