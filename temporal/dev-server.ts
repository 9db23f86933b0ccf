/** The Temporal development server with its Web UI: one process, SQLite, loopback only. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { startChild, type Child, type Launch } from '../setup/stack/child.ts';
import type { Parts } from '../setup/stack/parts.ts';
import { freePort } from '../setup/stack/ports.ts';
import { searchAttributeNames } from '../src/contracts/call-workflow.ts';

export interface TemporalOptions {
  readonly parts: Pick<Parts, 'temporal'>;
  /** Holds the SQLite file; histories survive a restart in the same directory. */
  readonly dir: string;
  readonly logFile: string;
  /** Preferred ports: a free one is taken when they are in use. Defaults: 7233 and 8233. */
  readonly port?: number;
  readonly uiPort?: number;
  /** Default: startChild. */
  readonly launch?: Launch;
  /** Where the UI has sealed payloads opened. */
  readonly uiCodecEndpoint?: string;
}

export interface TemporalServer extends Child {
  /** host:port of the gRPC front end. */
  readonly address: string;
  readonly uiUrl: string;
}

const NAMESPACE = 'default';

// WAL and one partition: 16-20 instead of 7-10 new calls a second on two cores with everything beside it.
const tuning = [
  ['--sqlite-pragma', 'journal_mode=WAL'],
  ['--sqlite-pragma', 'synchronous=NORMAL'],
  ['--dynamic-config-value', 'matching.numTaskqueueReadPartitions=1'],
  ['--dynamic-config-value', 'matching.numTaskqueueWritePartitions=1'],
].flat();

/** A port that was free may be taken a moment later; the server needs four of them. */
const TRIES = 3;

/** @throws Error with the log's tail when the server does not come up within 60 s. */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  mkdirSync(options.dir, { recursive: true });
  for (let left = TRIES; ; left--) {
    try {
      return await start(options);
    } catch (error) {
      if (left === 1 || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function start(options: TemporalOptions): Promise<TemporalServer> {
  const port = await freePort(options.port ?? 7233);
  let uiPort = await freePort(options.uiPort ?? 8233);
  while (uiPort === port) uiPort = await freePort();
  const address = `127.0.0.1:${port}`;
  const child = await (options.launch ?? startChild)({
    name: 'Temporal',
    command: [...options.parts.temporal.command, ...serverArguments({ ...options, port, uiPort })],
    logFile: options.logFile,
    ready: () => serves(address),
    readyTimeoutMs: 60_000,
  });
  return Object.defineProperties(child as TemporalServer, {
    address: { value: address, enumerable: true },
    uiUrl: { value: `http://127.0.0.1:${uiPort}`, enumerable: true },
  });
}

function serverArguments({ dir, port, uiPort, uiCodecEndpoint }: TemporalOptions & { port: number; uiPort: number }): string[] {
  return [
    ['server', 'start-dev', '--ip', '127.0.0.1', '--ui-ip', '127.0.0.1'],
    ['--port', String(port), '--ui-port', String(uiPort)],
    ['--db-filename', join(dir, 'temporal.sqlite'), '--log-level', 'warn'],
    uiCodecEndpoint === undefined ? [] : ['--ui-codec-endpoint', uiCodecEndpoint],
    // A user's own CLI profile must not redirect the server.
    ['--disable-config-file', '--disable-config-env'],
    tuning,
    Object.values(searchAttributeNames).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
  ].flat();
}

/** The port answers before the namespace exists, and a worker that comes in between fails: wait for the namespace. */
async function serves(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 });
  try {
    await connection.withDeadline(Date.now() + 1_000, () => connection.workflowService.describeNamespace({ namespace: NAMESPACE }));
    return true;
  } finally {
    await connection.close();
  }
}
