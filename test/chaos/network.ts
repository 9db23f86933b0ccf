/** A network namespace of its own for one media node, whose packets can be dropped: what the loss of a host looks like. Needs root. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ProcessPlace } from '../../setup/stack/holdfast-processes.ts';
import { startTcpGate, type TcpGate } from '../support/tcp-gate.ts';

const run = promisify(execFile);

export interface Network extends AsyncDisposable {
  /** How a process with this environment runs inside: what listens on loopback here is reached through a forwarder. */
  place(env: Readonly<Record<string, string>>): Promise<ProcessPlace>;
  /** Drops every packet, both ways. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** Of the IANA range for benchmarks of network devices: nobody routes it. */
const [HOST, INSIDE, BITS] = ['198.18.77.1', '198.18.77.2', 30];
const NOBODY = '02:00:00:00:00:99';
const FORWARDED = ['REDIS_URL', 'ARI_URL', 'OPENAI_BASE_URL'] as const;

/** @returns why not, or null */
export async function namespacesImpossible(): Promise<string | null> {
  const name = `hf-try-${process.pid}`;
  try {
    await run('ip', ['netns', 'add', name]);
    await run('ip', ['netns', 'del', name]);
    return null;
  } catch (error) {
    return `no network namespace can be made here (${(error as { stderr?: string }).stderr?.trim() || 'ip netns'})`;
  }
}

export async function openNetwork(): Promise<Network> {
  const name = `hf-chaos-${process.pid}`;
  const [outer, inner] = [`hfo${process.pid}`.slice(0, 15), `hfi${process.pid}`.slice(0, 15)];
  const within = (...args: string[]): Promise<unknown> => run('ip', ['netns', 'exec', name, 'ip', ...args]);
  const gates: TcpGate[] = [];
  const close = async (): Promise<void> => {
    for (const gate of gates) await gate[Symbol.asyncDispose]();
    // The pair of links goes with the namespace.
    await run('ip', ['netns', 'del', name]).catch(() => undefined);
    await run('ip', ['link', 'del', outer]).catch(() => undefined);
  };
  try {
    await run('ip', ['netns', 'add', name]);
    await run('ip', ['link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name]);
    await run('ip', ['addr', 'add', `${HOST}/${BITS}`, 'dev', outer]);
    await run('ip', ['link', 'set', outer, 'up']);
    await within('addr', 'add', `${INSIDE}/${BITS}`, 'dev', inner);
    await within('link', 'set', inner, 'up');
    await within('link', 'set', 'lo', 'up');
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async place(env) {
      const forwarded: Record<string, string> = {};
      for (const key of FORWARDED) {
        const url = new URL(env[key] ?? '');
        const gate = await startTcpGate({ host: url.hostname, port: Number(url.port) }, { listenHost: HOST });
        gates.push(gate);
        forwarded[key] = Object.assign(url, { host: `${HOST}:${gate.port}` }).href;
      }
      return { prefix: ['ip', 'netns', 'exec', name], env: { ...forwarded, MEDIA_CONTROL_HOST: INSIDE } };
    },
    // Sent to a card that nobody has: dropped on arrival, without an error on either side.
    async cut() {
      await run('ip', ['neigh', 'replace', INSIDE, 'lladdr', NOBODY, 'dev', outer, 'nud', 'permanent']);
      await within('neigh', 'replace', HOST, 'lladdr', NOBODY, 'dev', inner, 'nud', 'permanent');
    },
    async mend() {
      await run('ip', ['neigh', 'del', INSIDE, 'dev', outer]);
      await within('neigh', 'del', HOST, 'dev', inner);
    },
    [Symbol.asyncDispose]: close,
  };
}
