/** One child process: its output in a file, a way to know it is ready, and an end that leaves nothing behind. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ChildOptions {
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** stdout and stderr go here, appended. */
  readonly logFile: string;
  /** Polled until true; rejects start when it stays false for readyTimeoutMs or the process exits. */
  readonly ready: (pid: number) => Promise<boolean>;
  readonly readyTimeoutMs?: number;
  /** Sent first at stop; SIGKILL follows after stopTimeoutMs. */
  readonly stopSignal?: NodeJS.Signals;
  readonly stopTimeoutMs?: number;
  /** Run as this user (only root may). */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves with the exit code (or signal name) once the process has ended. */
  readonly exited: Promise<number | string>;
  readonly running: boolean;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a child in the way the caller wants it: plainly, or kept running. */
export type Launch = (options: ChildOptions) => Promise<Child>;

export class ChildStartError extends Error {
  /** Exit code or signal name; null when it ran but did not become ready. */
  readonly outcome: number | string | null;

  constructor(message: string, outcome: number | string | null) {
    super(message);
    this.name = 'ChildStartError';
    this.outcome = outcome;
  }
}

const POLL_MS = 50;
const PROBE_MS = 3_000;
/** Handed on to every child, so that those of one run can be found even when they were orphaned. */
export const RUN_MARK = 'HOLDFAST_RUN_MARK';

/**
 * Where util-linux has it, the kernel ends the child when this process dies without having been
 * able to clean up (SIGKILL, out of memory).
 */
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

const aborting = new AsyncLocalStorage<AbortSignal>();

/**
 * Every startChild within `work`, however deep, gives up when the signal fires: the process is
 * stopped and the start rejects with the signal's reason.
 */
export function startingUntil<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
  const outer = aborting.getStore();
  return aborting.run(outer === undefined ? signal : AbortSignal.any([outer, signal]), work);
}

const alive = new Set<number>();
// The last net for an exit that skipped stop(): a synchronous one, because nothing else runs any more.
process.on('exit', () => {
  for (const pid of alive) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
});

function marked(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const mark = process.env[RUN_MARK];
  return mark === undefined ? { ...env } : { ...env, [RUN_MARK]: mark };
}

function withParentDeathSignal(command: readonly string[], signal: NodeJS.Signals): readonly string[] {
  return SETPRIV === undefined ? command : [SETPRIV, '--pdeathsig', signal.replace('SIG', ''), '--', ...command];
}

/** @throws ChildStartError naming the part, its log file and the log's tail when it does not become ready. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const stopSignal = options.stopSignal ?? 'SIGTERM';
  const [program, ...args] = withParentDeathSignal(options.command, stopSignal);
  if (options.command.length === 0 || program === undefined) throw new Error(`${options.name}: empty command`);
  const abort = aborting.getStore();
  abort?.throwIfAborted();
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  // A process group of its own: Ctrl-C in the terminal reaches only us, and we stop the parts in order.
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: marked(options.env ?? process.env),
    stdio: ['ignore', log, log],
    detached: true,
    ...options.user,
  });
  closeSync(log);
  const pid = child.pid ?? -1;
  if (child.pid !== undefined) alive.add(child.pid);
  let ended: number | string | undefined;
  const exited = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve((ended = error.message)));
    child.once('exit', (code, signal) => {
      alive.delete(pid);
      resolve((ended = code ?? signal ?? 'unknown'));
    });
  });
  const stop = async (): Promise<void> => {
    if (ended !== undefined) return;
    child.kill(stopSignal);
    const timer = setTimeout(() => child.kill('SIGKILL'), options.stopTimeoutMs ?? 5_000);
    await exited;
    clearTimeout(timer);
  };
  const deadline = Date.now() + (options.readyTimeoutMs ?? 30_000);
  for (;;) {
    // A probe that hangs is a probe that fails.
    if (ended === undefined && (await Promise.race([options.ready(pid).catch(() => false), sleep(PROBE_MS, false, { ref: false })]))) break;
    if (ended !== undefined || Date.now() > deadline || abort?.aborted === true) {
      const outcome = ended ?? null;
      const why = outcome === null ? 'did not become ready' : `ended at once (${outcome})`;
      await stop();
      abort?.throwIfAborted();
      const tail = (await readFile(options.logFile, 'utf8').catch(() => '')).split('\n').slice(-15).join('\n');
      throw new ChildStartError(`${options.name} ${why}. Log: ${options.logFile}\n${tail}`, outcome);
    }
    await sleep(POLL_MS);
  }
  return {
    name: options.name,
    pid,
    logFile: options.logFile,
    exited,
    get running() {
      return ended === undefined;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
