/** The embedded Redis: loopback, a password, nothing written to disk. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startChild, type Launch } from './child.ts';
import type { Parts } from './parts.ts';
import { freePort } from './ports.ts';

export interface RedisOptions {
  readonly parts: Pick<Parts, 'redisServer'>;
  readonly dir: string;
  readonly logFile: string;
  readonly port?: number;
  /** Default: startChild. */
  readonly launch?: Launch;
}

export interface Redis {
  readonly pid: number;
  /** Resolves with the exit code or signal name once the server has ended. */
  readonly exited: Promise<number | string>;
  readonly url: string;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startRedis(options: RedisOptions): Promise<Redis> {
  const dir = join(options.dir, 'redis');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const password = randomBytes(24).toString('hex');
  const port = await freePort(options.port ?? 6379);
  const configFile = join(dir, 'redis.conf');
  // The password goes into a file: command lines are readable to every user of the machine.
  const lines = [`bind 127.0.0.1`, `port ${port}`, `requirepass ${password}`, `dir ${dir}`, 'save ""', 'appendonly no', 'daemonize no'];
  await writeFile(configFile, `${lines.join('\n')}\n`, { mode: 0o600 });
  const child = await (options.launch ?? startChild)({
    name: 'Redis',
    command: [...options.parts.redisServer.command, configFile],
    logFile: options.logFile,
    ready: () => answersPing(port, password),
  });
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return {
    get pid() {
      return child.pid;
    },
    exited: child.exited,
    url: `redis://:${password}@127.0.0.1:${port}`,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function answersPing(port: number, password: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('close', () => resolve(answer.includes('+PONG')));
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
    socket.write(`AUTH ${password}\r\nPING\r\nQUIT\r\n`);
  });
}
