/**
 * Where Twilio opens its media streams: `{publicUrl}/{call record id}`, one WebSocket per call, signed
 * by Twilio. A reverse proxy in front may take away whatever precedes the last part of the path.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { CALL_PARAMETER, twilioChannelId } from '../../contracts/twilio.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { isSignedByTwilio } from '../../lib/twilio-signature.ts';
import { acceptTwilioStream } from '../../media/legs/twilio.ts';
import { twilioWireLimits } from '../../media/legs/twilio-wire.ts';
import { errorFacts, type Logger } from '../../telemetry.ts';
import type { TwilioStreams } from './streams.ts';

export interface TwilioStreamServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** As Twilio dials it, e.g. wss://media-1.example.com/streams. */
  readonly publicUrl: string;
  readonly authToken: string;
  readonly accountSid: string;
  readonly streams: TwilioStreams;
  readonly logger: Logger;
}

export interface TwilioStreamServer extends AsyncDisposable {
  readonly port: number;
}

const CALL_ID = /\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
/** Streams that are open at once and have not said whose they are. */
const MAX_UNKNOWN = 200;

export async function startTwilioStreamServer(options: TwilioStreamServerOptions): Promise<TwilioStreamServer> {
  const { host, publicUrl, authToken, logger } = options;
  const http = createServer((_request, response) => void response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true, maxPayload: twilioWireLimits.messageBytes, perMessageDeflate: false });
  let unknown = 0;
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    const callId = CALL_ID.exec(request.url ?? '')?.[1];
    const signature = request.headers['x-twilio-signature'];
    const signed = { url: `${publicUrl}/${callId}`, signature: typeof signature === 'string' ? signature : undefined };
    if (callId === undefined) return refuse(socket, '404 Not Found');
    if (!isSignedByTwilio(authToken, signed)) {
      logger.warn({ event: 'twilio_signature_wrong' }, 'A media stream is not signed by Twilio, or TWILIO_STREAM_URL is not what it dials');
      return refuse(socket, '403 Forbidden');
    }
    if (unknown >= MAX_UNKNOWN) return refuse(socket, '503 Service Unavailable');
    unknown += 1;
    sockets.handleUpgrade(request, socket, head, (websocket) => {
      void serve(websocket, callId, options).finally(() => (unknown -= 1));
    });
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port, host, resolve);
  });
  const address = http.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    async [Symbol.asyncDispose]() {
      for (const websocket of sockets.clients) websocket.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
}

/** Resolves when the stream has said whose it is. */
async function serve(websocket: WebSocket, callId: string, { accountSid, streams, logger }: TwilioStreamServerOptions): Promise<void> {
  try {
    const stream = await acceptTwilioStream(websocket, { logger: logger.child({ callId }) });
    const { start } = stream;
    if (start.parameters.get(CALL_PARAMETER) !== callId || start.accountSid !== accountSid) {
      await stream.close();
      throw new HoldfastError('unauthorized', 'The stream is of another call, or of another account');
    }
    streams.arrived(twilioChannelId(start.callSid), callId, stream);
  } catch (error) {
    logger.warn({ event: 'twilio_stream_refused', callId, error: errorFacts(error) }, 'A media stream could not be used');
  }
}
