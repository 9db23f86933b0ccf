/** The systems that are compared, each as fresh processes that serve a Twilio media stream. */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../../../setup/stack/child.ts';
import type { Parts } from '../../../setup/stack/parts.ts';
import { freePort } from '../../../setup/stack/ports.ts';
import { startRedis } from '../../../setup/stack/redis.ts';
import type { TurnLatencies } from '../../../src/contracts/turn.ts';

export interface RunningSystem extends AsyncDisposable {
  /** Where callers connect. */
  readonly url: string;
  /** Everything whose memory and time count. */
  readonly pids: Readonly<Record<string, number>>;
  /** What the system itself says of where its time went; empty when it says nothing. */
  stages(): Promise<readonly TurnLatencies[]>;
}

export interface Place {
  /** As OPENAI_BASE_URL wants it. */
  readonly aiBaseUrl: string;
  readonly dir: string;
  readonly logFile: string;
}

export type StartSystem = (place: Place) => Promise<RunningSystem>;

/** Importing Pipecat takes a while on a cold disk. */
const READY_WITHIN_MS = 90_000;

/** The media node's own code, and the Redis that every node writes to. */
export function holdfast(parts: Pick<Parts, 'redisServer'>): StartSystem {
  return async ({ aiBaseUrl, dir, logFile }) => {
    await using owned = new AsyncDisposableStack();
    const redis = owned.use(await startRedis({ parts, dir, logFile }));
    const port = await freePort();
    const stagesFile = join(dir, 'stages.jsonl');
    const plan = { port, aiBaseUrl, redisUrl: redis.url, stagesFile };
    const program = fileURLToPath(new URL('./holdfast/server.ts', import.meta.url));
    const server = owned.use(
      await startChild({
        name: 'Holdfast',
        command: [process.execPath, '--disable-warning=ExperimentalWarning', program, JSON.stringify(plan)],
        logFile,
        ready: () => accepts(port),
      }),
    );
    const running = owned.move();
    return {
      url: `ws://127.0.0.1:${port}/`,
      pids: { holdfast: server.pid, redis: redis.pid },
      stages: async () => linesOf(await readFile(stagesFile, 'utf8').catch(() => '')),
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  };
}

/** @param python of the environment that install.ts made. */
export function pipecat(python: string): StartSystem {
  return async ({ aiBaseUrl, logFile }) => {
    const port = await freePort();
    const program = fileURLToPath(new URL('./pipecat/pipebot.py', import.meta.url));
    // No proxy stands between a bot and loopback.
    const direct = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)));
    const child = await startChild({
      name: 'Pipecat',
      command: [python, program],
      env: { ...direct, PORT: String(port), FAKEAI: aiBaseUrl },
      logFile,
      ready: () => accepts(port),
      readyTimeoutMs: READY_WITHIN_MS,
    });
    return {
      url: `ws://127.0.0.1:${port}/ws`,
      pids: { pipecat: child.pid },
      stages: async () => [],
      [Symbol.asyncDispose]: () => child.stop(),
    };
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

const linesOf = (text: string): TurnLatencies[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TurnLatencies);
