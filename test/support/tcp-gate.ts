/** A TCP proxy that can be shut: what is behind it refuses connections and drops those it had, as a server that went down. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpGate extends AsyncDisposable {
  readonly port: number;
  shut(): void;
  open(): void;
}

export async function startTcpGate(target: { host: string; port: number }): Promise<TcpGate> {
  const sockets = new Set<Socket>();
  let shut = false;
  const server = createServer((inner) => {
    if (shut) {
      inner.resetAndDestroy();
      return;
    }
    const outer = connect(target);
    for (const [one, other] of [[inner, outer], [outer, inner]] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    shut() {
      shut = true;
      drop();
    },
    open() {
      shut = false;
    },
    async [Symbol.asyncDispose]() {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
