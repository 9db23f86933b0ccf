/** The whole of Holdfast on one machine: the foundation, migrations, the demo tenant, and Holdfast's own processes, supervised. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Database } from '../../src/db/tenant-scope.ts';
import { migrateUp } from '../../src/db/migrate.ts';
import { NumberVault } from '../../src/services/number-vault.ts';
import { seedDemo, type Demo } from '../../src/services/seed.ts';
import { startingUntil } from './child.ts';
import { environmentFile, generateSecrets, processEnvironment, type Secrets } from './environment.ts';
import type { External } from './external.ts';
import { startFoundation, type Foundation } from './foundation.ts';
import { holdfastProcesses, processOptions, type HoldfastProcess, type ProcessPlace } from './holdfast-processes.ts';
import { withKeptKeys } from './kept-keys.ts';
import type { Parts } from './parts.ts';
import { freePort } from './ports.ts';
import { supervise, type Controls, type Supervised, type SupervisedEvents } from './supervisor.ts';

export interface StackOptions {
  readonly parts: Parts;
  /** Short path; PostgreSQL's user must be able to pass through it. */
  readonly dataDir: string;
  readonly logsDir: string;
  readonly external: External;
  /** Further environment of the processes: models, limits, log level, secrets of the user's choice. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly wellKnownPorts?: boolean;
  /** Default 2. The first is called `media`, the next `media2`; their node ids are media-1, media-2, … */
  readonly mediaNodes?: number;
  /** Default 1: `worker`, `worker2`, … */
  readonly workers?: number;
  /** Runs a media node elsewhere, in a network namespace for instance. Asked once for each, when everything below is running. */
  readonly placeMedia?: (node: { readonly index: number; readonly env: Readonly<Record<string, string>> }) => Promise<ProcessPlace | null>;
  /** Gives up a start that is under way. */
  readonly signal?: AbortSignal;
  readonly events?: Partial<StackEvents>;
}

/** Of processes and embedded parts alike. One that is given up is in a crash loop: the stack is no longer whole. */
export interface StackEvents extends SupervisedEvents {
  readonly onReady: (facts: { name: string; detail: string; ms: number }) => void;
}

export interface Stack extends AsyncDisposable {
  /** Complete environment of api, worker and media. */
  readonly env: Readonly<Record<string, string>>;
  /** The same as a .env file (0600), to run another process by hand: node --env-file=… src/bin/media.ts */
  readonly envFile: string;
  readonly urls: { readonly api: string; readonly docs: string; readonly temporalUi: string; readonly sip: string };
  /** Where SIP calls go, UDP. */
  readonly sip: { readonly host: string; readonly port: number };
  readonly demo: Demo;
  readonly logsDir: string;
  /** Of what runs now. */
  pids(): Record<string, number>;
  /**
   * By its name in `pids`, to kill, freeze or hold it down as accidents do.
   * @throws Error when the stack does not run it: it is the environment's.
   */
  part(name: string): Controls;
  stop(): Promise<void>;
}

/** @throws Error naming the part that did not start, with the end of its log; nothing is left running then. */
export function startStack(options: StackOptions): Promise<Stack> {
  const { signal } = options;
  return signal === undefined ? start(options) : startingUntil(signal, () => start(options));
}

async function start(options: StackOptions): Promise<Stack> {
  const events: StackEvents = {
    onReady: nothing,
    onDied: nothing,
    onRestarted: nothing,
    onGaveUp: nothing,
    ...options.events,
  };
  const running = new AsyncDisposableStack();
  try {
    const secrets = await chooseSecrets(options);
    const apiPort = Number(options.settings?.['API_PORT'] ?? '0');
    const preferred = apiPort > 0 ? { preferredApiPort: apiPort } : {};
    const { onReady } = events;
    const foundation = running.use(await startFoundation({ wellKnownPorts: false, ...options, ...preferred, secrets, onReady, events }));
    const env = processEnvironment(foundation.addresses, secrets, options.settings ?? {});
    const demo = await prepareDatabase(foundation, env);
    const dir = join(options.dataDir, 'processes');
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const envFile = join(dir, 'holdfast.env');
    await writeFile(envFile, environmentFile(env), { mode: 0o600 });
    const chosen = await chooseProcesses(options, env);
    const processes = await startProcesses(chosen, { env, dir, logsDir: options.logsDir }, events);
    for (const each of processes) running.use(each);
    // Together, not one after the other as the stack would: each may take its time to drain.
    running.defer(async () => void (await Promise.all(processes.map((each) => each.stop()))));
    return describe({ options, foundation, env, envFile, demo, processes, running });
  } catch (error) {
    await running.disposeAsync();
    throw error;
  }
}

const nothing = (): void => undefined;

async function chooseSecrets({ external, settings = {} }: StackOptions): Promise<Secrets> {
  const generated = generateSecrets();
  const chosen = settings['DATA_ENCRYPTION_KEY'] !== undefined && settings['NUMBER_HASH_KEY'] !== undefined;
  const secrets = external.database === undefined || chosen ? generated : await withKeptKeys(generated);
  // The PBX and the database need to know what the user has chosen.
  return {
    ...secrets,
    webhook: settings['TELEPHONY_WEBHOOK_SECRET'] ?? secrets.webhook,
    codecToken: settings['TEMPORAL_CODEC_TOKEN'] ?? secrets.codecToken,
    dataEncryptionKey: settings['DATA_ENCRYPTION_KEY'] ?? secrets.dataEncryptionKey,
    numberHashKey: settings['NUMBER_HASH_KEY'] ?? secrets.numberHashKey,
  };
}

async function prepareDatabase(foundation: Foundation, env: Readonly<Record<string, string>>): Promise<Demo> {
  await migrateUp({ url: foundation.databaseOwnerUrl });
  await using db = await Database.open({ url: foundation.addresses.databaseUrl });
  const key = (name: string): Buffer => Buffer.from(env[name] ?? '', 'base64');
  const vault = new NumberVault({ encryption: key('DATA_ENCRYPTION_KEY'), numberHash: key('NUMBER_HASH_KEY') });
  // Awaited here: the connection closes when this function returns.
  return await seedDemo({ db, vault });
}

type ProcessContext = Parameters<typeof processOptions>[1];

const DEFAULT_MEDIA_NODES = 2;

async function chooseProcesses(
  { workers = 1, mediaNodes = DEFAULT_MEDIA_NODES, placeMedia }: StackOptions,
  env: Readonly<Record<string, string>>,
): Promise<HoldfastProcess[]> {
  const ports = new Set<number>();
  // A port that was free may be handed out twice before anybody listens on it.
  while (ports.size < mediaNodes) ports.add(await freePort());
  const places = await Promise.all(Array.from({ length: mediaNodes }, (_, index) => placeMedia?.({ index, env }) ?? Promise.resolve(null)));
  return holdfastProcesses({ workers, mediaControlPorts: [...ports], places });
}

async function startProcesses(chosen: readonly HoldfastProcess[], context: ProcessContext, events: StackEvents): Promise<Supervised[]> {
  const oneFailed = new AbortController();
  const startOne = async (each: HoldfastProcess): Promise<Supervised> => {
    const startedAtMs = performance.now();
    const supervised = await startingUntil(oneFailed.signal, () => supervise(processOptions(each, context), events));
    const name = each.name;
    events.onReady({ name, detail: `pid ${supervised.pid}`, ms: performance.now() - startedAtMs });
    return supervised;
  };
  const starts = chosen.map((each) =>
    startOne(each).catch((error: unknown) => {
      oneFailed.abort(error);
      throw error;
    }),
  );
  try {
    return await Promise.all(starts);
  } catch (error) {
    for (const settled of await Promise.allSettled(starts)) if (settled.status === 'fulfilled') await settled.value.stop();
    throw error;
  }
}

interface Pieces {
  readonly options: StackOptions;
  readonly foundation: Foundation;
  readonly env: Readonly<Record<string, string>>;
  readonly envFile: string;
  readonly demo: Demo;
  readonly processes: readonly Supervised[];
  readonly running: AsyncDisposableStack;
}

function describe({ options, foundation, env, envFile, demo, processes, running }: Pieces): Stack {
  const api = `http://127.0.0.1:${foundation.addresses.apiPort}`;
  const [host = '127.0.0.1', port = '5060'] = foundation.sip.split(':');
  const stop = () => running.disposeAsync();
  const all = new Map<string, Supervised>([...processes.map((each) => [each.name, each] as const), ...foundation.parts]);
  return {
    env,
    envFile,
    urls: { api, docs: `${api}/docs`, temporalUi: foundation.temporalUiUrl, sip: `sip:${foundation.sip}` },
    sip: { host, port: Number(port) },
    demo,
    logsDir: options.logsDir,
    pids: () => Object.fromEntries([...all].filter(([, each]) => each.running).map(([name, each]) => [name, each.pid])),
    part(name) {
      const found = all.get(name);
      if (found === undefined) throw new Error(`The stack runs no part of the name ${name}`);
      return found;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
