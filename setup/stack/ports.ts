import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';

/** A TCP port on loopback that was free a moment ago; the preferred one when it is. */
export async function freePort(preferred = 0): Promise<number> {
  const tried = await listen(preferred).catch(() => undefined);
  return tried ?? listen(0);
}

function listen(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** A UDP port (SIP) on loopback, likewise. */
export async function freeUdpPort(preferred = 0): Promise<number> {
  const tried = await bind(preferred).catch(() => undefined);
  return tried ?? bind(0);
}

function bind(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', () => {
      const chosen = socket.address().port;
      socket.close(() => resolve(chosen));
    });
  });
}
