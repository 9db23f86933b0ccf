/** The node's end of the control socket (src/contracts/media-control.ts): authentication, framing, beats. */
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import {
  CONTROL_BEAT_MS,
  CONTROL_MAX_PAYLOAD_BYTES,
  CONTROL_PATH,
  workerMessage,
  type NodeMessage,
  type WorkerMessage,
} from '../contracts/media-control.ts';
import { HoldfastError } from '../domain/errors.ts';
import { secretsEqual } from '../lib/digests.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import type { PbxKeeper } from './call-control.ts';
import { inventoryServer } from './inventory-server.ts';
import type { MediaNode } from './node.ts';
import type { Session } from './session.ts';

export interface ControlServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly secret: string;
  readonly node: MediaNode;
  readonly keeper: PbxKeeper;
  readonly logger: Logger;
  readonly startWithinMs?: number;
}

export interface ControlServer extends AsyncDisposable {
  /** ws://host:port */
  readonly url: string;
}

/** A worker that reads this slowly is cut off; it attaches again and misses nothing. */
const MAX_BACKLOG_BYTES = 4_194_304;
/** A socket without a call is closed after this. */
const START_WITHIN_MS = 5_000;

export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const http = createServer(inventoryServer(options));
  const sockets = new WebSocketServer({ noServer: true, maxPayload: CONTROL_MAX_PAYLOAD_BYTES, perMessageDeflate: false });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const given = request.headers.authorization ?? '';
    if (request.url !== CONTROL_PATH || !secretsEqual(given, `Bearer ${options.secret}`)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (websocket) => serve(websocket, options));
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port, options.host, resolve);
  });
  const beats = setInterval(() => {
    for (const websocket of sockets.clients) deliver(websocket, { type: 'beat' });
  }, CONTROL_BEAT_MS);
  const address = http.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    url: `ws://${options.host}:${port}`,
    async [Symbol.asyncDispose]() {
      clearInterval(beats);
      for (const websocket of sockets.clients) websocket.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function deliver(websocket: WebSocket, message: NodeMessage): void {
  if (websocket.bufferedAmount > MAX_BACKLOG_BYTES) websocket.terminate();
  else websocket.send(JSON.stringify(message));
}

/** One socket, one call. */
function serve(websocket: WebSocket, { node, logger, startWithinMs = START_WITHIN_MS }: ControlServerOptions): void {
  let session: Session | undefined;
  const send = (message: NodeMessage): void => deliver(websocket, message);
  const refuse = (error: unknown): void => {
    const refusal = error instanceof HoldfastError ? error : new HoldfastError('internal', 'The node failed', { cause: error });
    logger.warn({ event: 'control_refused', error: errorFacts(error) }, 'A control message was refused');
    send({ type: 'refused', code: refusal.code, message: refusal.message });
    websocket.close(1008);
  };
  const idle = setTimeout(() => refuse(new HoldfastError('control_protocol', 'No start came in time')), startWithinMs);
  const handle = (message: WorkerMessage): void => {
    if (message.type === 'start') {
      clearTimeout(idle);
      session = node.start(message);
      session.attach(message.resumeAfter, send);
      return;
    }
    if (message.type === 'command') {
      clearTimeout(idle);
      node.steer(message);
      return send({ type: 'done', id: message.id });
    }
    if (session === undefined) throw new HoldfastError('control_protocol', 'The first message must be start or command');
    if (message.type === 'ack') session.outbox.acknowledge(message.seq);
    if (message.type === 'tool_result') session.toolResult(message);
    if (message.type === 'hangup') session.operatorHangup();
  };
  websocket.on('message', (data: RawData) => {
    try {
      handle(parse(data));
    } catch (error) {
      refuse(error);
    }
  });
  websocket.on('error', (error) => logger.warn({ event: 'control_socket_error', error: errorFacts(error) }, 'A control socket failed'));
  websocket.on('close', () => {
    clearTimeout(idle);
    session?.outbox.detach(send);
  });
}

/** @throws HoldfastError control_protocol naming the fields, never their values. */
function parse(data: RawData): WorkerMessage {
  const text = (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer)).toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new HoldfastError('control_protocol', 'Not JSON');
  }
  const parsed = workerMessage.safeParse(json);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new HoldfastError('control_protocol', `Not a control message: ${fields}`);
}
