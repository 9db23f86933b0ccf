import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { openControlSocket } from '../../src/activities/control-socket.ts';

let server: Server;
let answer: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
const sockets = new WebSocketServer({ noServer: true });
const accept = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
  sockets.handleUpgrade(request, socket, head, () => undefined);

beforeAll(async () => {
  server = createServer().on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => answer(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const open = () =>
  openControlSocket({ url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, secret: 'secret', onMessage: () => undefined });

test('a node that takes its time to answer is no dead node, even while this process is held up itself', async () => {
  const hold = (ms: number): void => {
    for (const until = performance.now() + ms; performance.now() < until;);
  };
  answer = (...upgrade) => void sleep(100).then(() => accept(...upgrade));
  const opening = open();
  // As a burst of calls does it; longer than the patience with a silent node.
  await sleep(20);
  hold(1_000);
  (await opening).close();
});

test('a node that never answers is lost', async () => {
  answer = () => undefined;
  await expect(open()).rejects.toMatchObject({ code: 'media_node_lost', retryable: true });
});

test('a node that opens its socket and then says nothing is lost', async () => {
  answer = accept;
  expect(await (await open()).closed).toBe('beats_missed');
});

test('a node that refuses the secret is not worth another try', async () => {
  answer = (_request, socket) => void socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
  await expect(open()).rejects.toMatchObject({ code: 'unauthorized', retryable: false });
});
