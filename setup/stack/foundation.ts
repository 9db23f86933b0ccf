/** Everything below Holdfast's own processes: databases, Temporal, speech, the PBX. Each embedded unless the environment names one. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startPbx } from '../../asterisk/start.ts';
import { startTemporal } from '../../temporal/dev-server.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { codecEndpoint } from '../../src/contracts/payload-codec.ts';
import { INBOUND_WEBHOOK_PATH } from '../../src/contracts/telephony-webhook.ts';
import { startingUntil, type Child, type Launch } from './child.ts';
import { startEmbeddedAi } from './embedded-ai.ts';
import type { Addresses, Secrets } from './environment.ts';
import type { External } from './external.ts';
import type { Parts } from './parts.ts';
import { freePort, freeUdpPort } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import { supervise, type Supervised, type SupervisedEvents } from './supervisor.ts';

export interface FoundationOptions {
  readonly parts: Parts;
  readonly dataDir: string;
  readonly logsDir: string;
  readonly external: External;
  readonly secrets: Secrets;
  /** Of the API, when it is free. */
  readonly preferredApiPort?: number;
  /** Take well-known ports when they are free; tests leave them to others. */
  readonly wellKnownPorts: boolean;
  readonly onReady: (facts: { name: string; detail: string; ms: number }) => void;
  readonly events: SupervisedEvents;
}

export interface Foundation extends AsyncDisposable {
  readonly addresses: Addresses;
  readonly databaseOwnerUrl: string;
  readonly temporalUiUrl: string;
  /** host:port, UDP */
  readonly sip: string;
  /** The embedded ones, each kept running on its port with its data. Redis keeps nothing on disk and comes back empty. */
  readonly parts: ReadonlyMap<string, Supervised>;
}

/** Started at once, because none needs another; when one fails, the others are stopped again. */
export async function startFoundation(options: FoundationOptions): Promise<Foundation> {
  const parts = new Map<string, Supervised>();
  const running = new AsyncDisposableStack();
  const apiPort = await freePort(options.preferredApiPort ?? (options.wellKnownPorts ? 8080 : 0));
  const oneFailed = new AbortController();
  const start = <Part>(name: string, starter: Starter<Part>) =>
    startingUntil(oneFailed.signal, () => timed({ name, options, running, parts }, starter)).catch((error: unknown) => {
      oneFailed.abort(error);
      throw error;
    });
  const starts = [
    start('postgres', (launch) => database(options, launch)),
    start('redis', (launch) => redis(options, launch)),
    start('temporal', (launch) => temporal(options, { apiPort, launch })),
    start('embeddedAi', (launch) => speech(options, launch)),
    start('asterisk', (launch) => pbx(options, { apiPort, launch })),
  ] as const;
  try {
    const [postgres, redisUrl, temporalServer, openai, asterisk] = await Promise.all(starts);
    return {
      addresses: { databaseUrl: postgres.appUrl, redisUrl, apiPort, openai, ari: asterisk.ari, temporal: temporalServer },
      databaseOwnerUrl: postgres.ownerUrl,
      temporalUiUrl: temporalServer.uiUrl,
      sip: asterisk.sip,
      parts,
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  } catch (error) {
    // Those still starting give up; what is running by now is stopped.
    await Promise.allSettled(starts);
    await running.disposeAsync();
    throw error;
  }
}

interface Started<Part> {
  readonly part: Part;
  readonly detail: string;
  /** Absent when the part is the environment's. */
  readonly child?: Pick<Child, 'stop'>;
}
type Starter<Part> = (launch: Launch) => Promise<Started<Part>>;

interface Timing {
  readonly name: string;
  readonly options: FoundationOptions;
  readonly running: AsyncDisposableStack;
  readonly parts: Map<string, Supervised>;
}

async function timed<Part>({ name, options, running, parts }: Timing, starter: Starter<Part>): Promise<Part> {
  const startedAtMs = performance.now();
  const { onDied, onRestarted, onGaveUp } = options.events;
  // Under the name that the stack knows it by.
  const events: SupervisedEvents = {
    onDied: (facts) => onDied({ ...facts, name }),
    onRestarted: (facts) => onRestarted({ ...facts, name }),
    onGaveUp,
  };
  const launch: Launch = async (child) => {
    const supervised = await supervise(child, events);
    parts.set(name, supervised);
    return supervised;
  };
  const { part, detail, child } = await starter(launch);
  if (child !== undefined) running.defer(() => child.stop());
  options.onReady({ name, detail, ms: performance.now() - startedAtMs });
  return part;
}

async function database(
  { external, dataDir, logsDir, wellKnownPorts }: FoundationOptions,
  launch: Launch,
): Promise<Started<{ appUrl: string; ownerUrl: string }>> {
  if (external.database !== undefined) return { part: external.database, detail: 'DATABASE_URL' };
  const postgres = await startPostgres({ dir: dataDir, logFile: join(logsDir, 'postgres.log'), port: wellKnownPorts ? 5432 : 0, launch });
  return { part: postgres, detail: `127.0.0.1:${postgres.port}`, child: postgres };
}

async function redis({ external, parts, dataDir, logsDir, wellKnownPorts }: FoundationOptions, launch: Launch): Promise<Started<string>> {
  if (external.redisUrl !== undefined) return { part: external.redisUrl, detail: 'REDIS_URL' };
  const server = await startRedis({ parts, dir: dataDir, logFile: join(logsDir, 'redis.log'), port: wellKnownPorts ? 6379 : 0, launch });
  return { part: server.url, detail: new URL(server.url).host, child: server };
}

async function temporal(
  options: FoundationOptions,
  { apiPort, launch }: { apiPort: number; launch: Launch },
): Promise<Started<NonNullable<External['temporal']>>> {
  const { external, parts, dataDir, logsDir, secrets, wellKnownPorts } = options;
  if (external.temporal !== undefined) {
    await ensureSearchAttributes(external.temporal);
    return { part: external.temporal, detail: 'TEMPORAL_ADDRESS' };
  }
  const ports = wellKnownPorts ? {} : { port: 0, uiPort: 0 };
  const server = await startTemporal({
    parts,
    dir: join(dataDir, 'temporal'),
    logFile: join(logsDir, 'temporal.log'),
    launch,
    uiCodecEndpoint: codecEndpoint({ apiUrl: `http://127.0.0.1:${apiPort}`, token: secrets.codecToken, namespace: 'default' }),
    ...ports,
  });
  return { part: { address: server.address, namespace: 'default', uiUrl: server.uiUrl }, detail: server.address, child: server };
}

async function speech(
  { external, parts, dataDir, logsDir, wellKnownPorts }: FoundationOptions,
  launch: Launch,
): Promise<Started<Addresses['openai']>> {
  if (external.openai !== undefined) return { part: external.openai, detail: 'OPENAI_API_KEY' };
  const dir = join(dataDir, 'ai');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const server = await startEmbeddedAi({ parts, dir, logFile: join(logsDir, 'embedded-ai.log'), port: wellKnownPorts ? 8090 : 0, launch });
  return { part: server, detail: new URL(server.baseUrl).host, child: server };
}

const ARI_USERNAME = 'holdfast';

interface PbxPlace {
  readonly apiPort: number;
  readonly launch: Launch;
}

async function pbx(options: FoundationOptions, { apiPort, launch }: PbxPlace): Promise<Started<{ ari: Addresses['ari']; sip: string }>> {
  const { external, parts, dataDir, logsDir, secrets, wellKnownPorts } = options;
  if (external.ari !== undefined) return { part: { ari: external.ari, sip: external.ari.sip }, detail: 'ARI_URL' };
  const server = await startPbx({
    parts,
    dir: join(dataDir, 'pbx'),
    logFile: join(logsDir, 'asterisk.log'),
    sipPort: await freeUdpPort(wellKnownPorts ? 5060 : 0),
    httpPort: await freePort(wellKnownPorts ? 8088 : 0),
    // Apart from the carrier's range.
    rtpPorts: { first: 12_000, last: 19_998 },
    webhookUrl: `http://127.0.0.1:${apiPort}${INBOUND_WEBHOOK_PATH}`,
    webhookSecret: secrets.webhook,
    ariUsername: ARI_USERNAME,
    ariPassword: secrets.ariPassword,
    launch,
  });
  const ari = { url: server.ariUrl, username: ARI_USERNAME, password: secrets.ariPassword };
  return { part: { ari, sip: server.sip }, detail: `SIP ${server.sip}, ARI ${new URL(server.ariUrl).host}`, child: server };
}
