import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';

export interface HttpServer extends AsyncDisposable {
  /** http://host:port, with the port that was chosen for 0. */
  readonly url: string;
  /** Answers what has been asked, then closes; after `drainMs` it closes anyway. */
  close(drainMs: number): Promise<void>;
}

/** A slow sender is cut off, so that idle connections cannot pile up. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** @throws the system's error when the address is taken. */
export async function listen(app: Express, options: { host: string; port: number }): Promise<HttpServer> {
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 1_000 },
    app,
  );
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    close: (drainMs) => closeServer(server, drainMs),
    [Symbol.asyncDispose]: () => closeServer(server, 0),
  };
}

async function closeServer(server: Server, drainMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const force = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearTimeout(force);
}
