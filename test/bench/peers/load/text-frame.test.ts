import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { textFrame } from './text-frame.ts';

let server: WebSocketServer;
let socket: Socket;
let peer: WebSocket;

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection');
  const createConnection = (): Socket => (socket = connect(port, '127.0.0.1'));
  await once(new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false, createConnection }), 'open');
  [peer] = (await accepted) as [WebSocket];
});

afterAll(async () => {
  peer.terminate();
  await new Promise((resolve) => server.close(resolve));
});

test.each([1, 125, 126, 65_535])('a frame of %i characters is read by a server of the standard', async (length) => {
  const text = Array.from({ length }, (_, n) => String.fromCharCode(0x20 + (n % 95))).join('');
  const read = once(peer, 'message');
  socket.write(textFrame(text));
  const [data, isBinary] = (await read) as [Buffer, boolean];
  expect([data.toString(), isBinary]).toEqual([text, false]);
});

test('what does not fit into the length is refused', () => {
  expect(() => textFrame('a'.repeat(65_536))).toThrow(RangeError);
});
