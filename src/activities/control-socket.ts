/** The client's end of a media node's control socket: the only file here that knows WebSockets. */
import { WebSocket } from 'ws';
import {
  CONTROL_BEAT_MS,
  CONTROL_MAX_PAYLOAD_BYTES,
  CONTROL_PATH,
  nodeMessage,
  type NodeMessage,
  type WorkerMessage,
} from '../contracts/media-control.ts';
import { HoldfastError } from '../domain/errors.ts';

/** A node that misses this many beats counts as gone, as if its socket had closed; so does one that lets the handshake wait for as long. */
const MISSED_BEATS = 3;
/** A timer this late says that this process was held up itself; what the node sent meanwhile is still to be read. */
const OWN_DELAY_MS = 150;

export interface ControlSocketOptions {
  /** ws://host:port of the node. */
  readonly url: string;
  readonly secret: string;
  onMessage(message: NodeMessage): void;
}

export interface ControlSocket {
  /** Silently dropped when the socket is closed: what matters is repeated after the next attach. */
  readonly send: (message: WorkerMessage) => void;
  /** Resolves once, with the cause, when nothing will arrive any more. */
  readonly closed: Promise<string>;
  close(): void;
}

/** @throws HoldfastError media_node_lost (retryable), or unauthorized when the node refuses the secret. */
export async function openControlSocket(options: ControlSocketOptions): Promise<ControlSocket> {
  const socket = new WebSocket(new URL(CONTROL_PATH, options.url), {
    headers: { authorization: `Bearer ${options.secret}` },
    maxPayload: CONTROL_MAX_PAYLOAD_BYTES,
    perMessageDeflate: false,
  });
  let cause = 'closed';
  const { promise: closed, resolve } = Promise.withResolvers<string>();
  const abandon = (why: string): void => {
    cause = why;
    socket.terminate();
  };
  const silence = watchSilence(() => abandon('beats_missed'));
  try {
    await opened(socket);
  } catch (error) {
    silence.stop();
    throw error;
  }
  silence.broken();
  socket.on('message', (data: Buffer) => {
    silence.broken();
    const message = parse(data.toString('utf8'));
    if (message === null) abandon('control_protocol');
    else options.onMessage(message);
  });
  socket.once('close', () => {
    silence.stop();
    resolve(cause);
  });
  return {
    closed,
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    close: () => socket.close(1000),
  };
}

interface SilenceWatch {
  /** Something was heard. */
  broken(): void;
  stop(): void;
}

function watchSilence(onSilent: () => void): SilenceWatch {
  let timer: NodeJS.Timeout;
  const wait = (ms: number): void => {
    const dueAtMs = performance.now() + ms;
    timer = setTimeout(() => (performance.now() - dueAtMs < OWN_DELAY_MS ? onSilent() : wait(CONTROL_BEAT_MS)), ms);
  };
  wait(CONTROL_BEAT_MS * MISSED_BEATS);
  return {
    broken() {
      clearTimeout(timer);
      wait(CONTROL_BEAT_MS * MISSED_BEATS);
    },
    stop: () => clearTimeout(timer),
  };
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      reject(
        new HoldfastError('media_node_lost', 'The media node does not answer on its control socket', { retryable: true, cause: error }),
      );
    };
    // ws demands a listener for as long as the socket lives; `close` follows every error.
    socket.on('error', failed);
    socket.once('unexpected-response', (request, response) => {
      const denied = response.statusCode === 401 || response.statusCode === 403;
      const message = `The media node answered ${response.statusCode} instead of opening its control socket`;
      reject(new HoldfastError(denied ? 'unauthorized' : 'media_node_lost', message, { retryable: !denied }));
      request.destroy();
    });
    socket.once('open', resolve);
  });
}

function parse(text: string): NodeMessage | null {
  try {
    return nodeMessage.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
