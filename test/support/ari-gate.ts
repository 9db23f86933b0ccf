/** In front of a PBX's web server: events, commands and media can be cut one by one, as no cable could. */
import { connect, createServer, type Socket } from 'node:net';

export type AriTraffic = 'events' | 'commands' | 'media';

export interface AriGate extends AsyncDisposable {
  /** http://127.0.0.1:port */
  readonly url: string;
  /** While true, commands are answered as by a PBX that has not loaded their module yet: 404. */
  loading: boolean;
  /** Cuts the connections of this kind; further ones are cut as soon as they say what they want. */
  shut(...kinds: AriTraffic[]): void;
  /** Cuts the connections of this kind once. */
  cut(kind: AriTraffic): void;
  open(): void;
}

const NOT_LOADED = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

export async function startAriGate(target: { readonly host: string; readonly port: number }): Promise<AriGate> {
  const sockets = new Map<Socket, AriTraffic>();
  const closed = new Set<AriTraffic>();
  const gate = { loading: false };
  const server = createServer((client) => {
    client.on('error', () => undefined);
    client.once('data', (first: Buffer) => {
      const kind = kindOf(first.toString('latin1'));
      if (closed.has(kind)) return void client.destroy();
      if (gate.loading && kind === 'commands') return void client.end(NOT_LOADED);
      const upstream = connect(target.port, target.host);
      upstream.on('error', () => undefined);
      sockets.set(client, kind);
      client.once('close', () => {
        sockets.delete(client);
        upstream.destroy();
      });
      upstream.once('close', () => client.destroy());
      upstream.write(first);
      client.pipe(upstream).pipe(client);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const cut = (kind: AriTraffic): void => {
    for (const [socket, its] of sockets) if (its === kind) socket.destroy();
  };
  return Object.assign(gate, {
    url: `http://127.0.0.1:${port}`,
    cut,
    shut(...kinds: AriTraffic[]) {
      for (const kind of kinds) {
        closed.add(kind);
        cut(kind);
      }
    },
    open: () => closed.clear(),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.keys()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function kindOf(head: string): AriTraffic {
  if (head.startsWith('GET /media/')) return 'media';
  return head.startsWith('GET /ari/events') ? 'events' : 'commands';
}
