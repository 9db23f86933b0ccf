/** api, workers and media nodes: which there are, how each is started and known to be ready. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { Redis } from 'ioredis';
import { mediaNode, NODE_KEY_PREFIX } from '../../src/contracts/media-node.ts';
import type { ChildOptions } from './child.ts';

export interface HoldfastProcess {
  /** Unique in the stack, also the name of its log: api, worker, worker2, …, media, media2, … */
  readonly name: string;
  readonly program: 'api' | 'worker' | 'media';
  /** What sets it apart from its siblings. */
  readonly env: Readonly<Record<string, string>>;
  /** In front of the program: what runs it elsewhere. */
  readonly prefix?: readonly string[];
}

/** Where a process runs when it is not simply here: what starts it there, and what is found under other addresses from there. */
export interface ProcessPlace {
  readonly prefix: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface ProcessCounts {
  readonly workers: number;
  /** Where each media node's control server listens, node 1 first: fixed, so that a node that was started again is found where it was. */
  readonly mediaControlPorts: readonly number[];
  /** Of the media nodes, in the same order. */
  readonly places?: readonly (ProcessPlace | null)[];
}

/** Pure. */
export function holdfastProcesses({ workers, mediaControlPorts, places = [] }: ProcessCounts): HoldfastProcess[] {
  const numbered = (name: string, index: number): string => (index === 0 ? name : `${name}${index + 1}`);
  return [
    { name: 'api', program: 'api', env: {} },
    ...Array.from({ length: workers }, (_, index): HoldfastProcess => ({ name: numbered('worker', index), program: 'worker', env: {} })),
    ...mediaControlPorts.map((port, index): HoldfastProcess => ({
      name: numbered('media', index),
      program: 'media',
      env: {
        MEDIA_NODE_ID: `media-${index + 1}`,
        MEDIA_CONTROL_HOST: '127.0.0.1',
        MEDIA_CONTROL_PORT: String(port),
        ...places[index]?.env,
      },
      prefix: places[index]?.prefix ?? [],
    })),
  ];
}

export interface ProcessContext {
  /** Complete: nothing is inherited but PATH and HOME. */
  readonly env: Readonly<Record<string, string>>;
  /** Working directory; has no .env, so that a developer's own does not interfere. */
  readonly dir: string;
  readonly logsDir: string;
}

const binDir = fileURLToPath(new URL('../../src/bin', import.meta.url));
/** The first start of a worker bundles the workflows. */
const READY_TIMEOUT_MS = 60_000;
/** A live call is over by then, because its caller has been stopped before. */
const STOP_TIMEOUT_MS = 5_000;

export function processOptions({ name, program, env: own, prefix = [] }: HoldfastProcess, context: ProcessContext): ChildOptions {
  const env = { ...context.env, ...own };
  return {
    name,
    command: [...prefix, process.execPath, join(binDir, `${program}.ts`)],
    // A process that follows one that died starts in half the time.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_COMPILE_CACHE: join(context.dir, 'compile-cache'), ...env },
    cwd: context.dir,
    logFile: join(context.logsDir, `${name}.log`),
    ready: (pid) => probes[program](env, pid),
    readyTimeoutMs: READY_TIMEOUT_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
  };
}

type Probe = (env: Readonly<Record<string, string>>, pid: number) => Promise<boolean>;

const probes: Record<HoldfastProcess['program'], Probe> = {
  api: async (env) => {
    const response = await fetch(`http://127.0.0.1:${env['API_PORT']}/healthz`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  },
  worker: pollsTemporal,
  media: isAnnounced,
};

async function pollsTemporal(env: Readonly<Record<string, string>>, pid: number): Promise<boolean> {
  const connection = await Connection.connect({ address: env['TEMPORAL_ADDRESS'] ?? '', connectTimeout: 1_000 });
  try {
    // The type is left at its default: workflow tasks.
    const taskQueue = { name: env['TEMPORAL_TASK_QUEUE'] ?? 'holdfast' };
    const request = { namespace: env['TEMPORAL_NAMESPACE'] ?? 'default', taskQueue };
    const queue = await connection.withDeadline(Date.now() + 1_000, () => connection.workflowService.describeTaskQueue(request));
    return (queue.pollers ?? []).some((poller) => poller.identity?.startsWith(`${pid}@`) === true);
  } finally {
    await connection.close();
  }
}

async function isAnnounced(env: Readonly<Record<string, string>>, pid: number): Promise<boolean> {
  const redis = new Redis(env['REDIS_URL'] ?? '', { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    // Without Redis nobody is told of the node, but it can do its work.
    if (
      !(await redis.connect().then(
        () => true,
        () => false,
      ))
    )
      return await listens(Number(env['MEDIA_CONTROL_PORT']), env['MEDIA_CONTROL_HOST'] ?? '127.0.0.1');
    const announced = await redis.get(`${NODE_KEY_PREFIX}${env['MEDIA_NODE_ID'] ?? 'media-1'}`);
    return announced !== null && mediaNode.parse(JSON.parse(announced)).pid === pid;
  } finally {
    redis.disconnect();
  }
}

function listens(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
