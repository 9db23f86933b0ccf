/** A TCP forwarder that can be shut: what a dependency looks like that refuses connections, and then comes back. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export interface TcpGate extends AsyncDisposable {
  readonly port: number;
  /** Asked for every piece of data before it passes; false: it is lost, and its connection with it. */
  tap: (() => boolean) | null;
  /** Cuts every connection and refuses new ones. */
  shut(): Promise<void>;
  /** Nothing passes any more, and nobody is told: a host that lost its power, or its network. What was connected stays dead after `open`. */
  blackHole(): void;
  open(): Promise<void>;
}

export async function startTcpGate(
  target: { readonly host: string; readonly port: number },
  { listenHost = '127.0.0.1' }: { readonly listenHost?: string } = {},
): Promise<TcpGate> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let silent = false;
  let port = 0;
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  };
  const open = async (): Promise<void> => {
    silent = false;
    if (server !== undefined) return;
    const fresh = createServer((client) => {
      if (silent) return track(client);
      const upstream = connect(target.port, target.host);
      track(client);
      track(upstream);
      const watch = (): Transform =>
        new Transform({
          transform(chunk: Buffer, _encoding, done) {
            if (gate.tap?.() !== false) return done(null, chunk);
            client.destroy();
            upstream.destroy();
            done();
          },
        });
      client.pipe(watch()).pipe(upstream).pipe(watch()).pipe(client);
      client.once('close', () => upstream.destroy());
      upstream.once('close', () => client.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      fresh.once('error', reject);
      fresh.listen(port, listenHost, resolve);
    });
    const address = fresh.address();
    port = typeof address === 'object' && address !== null ? address.port : port;
    server = fresh;
  };
  const shut = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    for (const socket of sockets) socket.destroy();
    if (closing !== undefined) await new Promise<void>((resolve) => closing.close(() => resolve()));
  };
  const blackHole = (): void => {
    silent = true;
    for (const socket of sockets) socket.unpipe().pause().removeAllListeners('close');
  };
  const gate: TcpGate = {
    get port() {
      return port;
    },
    tap: null,
    shut,
    blackHole,
    open,
    [Symbol.asyncDispose]: shut,
  };
  await open();
  return gate;
}
