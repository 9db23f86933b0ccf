/** One run of Jest as a process of its own. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface JestRun {
  /** Checkout. */
  readonly root: string;
  readonly args: readonly string[];
  /** Describes the shared parts. */
  readonly stackFile: string;
  readonly signal: AbortSignal;
  /** Show nothing. */
  readonly quiet?: boolean;
}

export const noTests: Counts = { passed: 0, failed: 0, skipped: 0 };
export const addCounts = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});
const oneFailure: Counts = { ...noTests, failed: 1 };

const FLAGS = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
/** An open handle keeps Jest from ending after its last test. */
const EXIT_MS = 60_000;

/** What Jest itself gets wrong (a crash, a test that ends the process, never ending) counts as one failure. */
export async function runJest(run: JestRun): Promise<Counts> {
  const resultFile = `${run.stackFile}.result`;
  rmSync(resultFile, { force: true });
  const env = { ...process.env, HOLDFAST_TEST_STACK: run.stackFile, HOLDFAST_TEST_RESULT: resultFile };
  const args = [...FLAGS, join(run.root, 'node_modules/jest/bin/jest.js'), '--rootDir', run.root, '--passWithNoTests', ...run.args];
  const child = spawn(process.execPath, args, { cwd: run.root, env, stdio: run.quiet === true ? 'ignore' : 'inherit', detached: true });
  // The group: Jest's workers too.
  const kill = (): boolean => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL');
  run.signal.addEventListener('abort', kill, { once: true });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const over = new AbortController();
  const stuck = killWhenStuck(resultFile, kill, over.signal);
  const code = await ended;
  over.abort();
  run.signal.removeEventListener('abort', kill);
  const counts = readCounts(resultFile);
  if (counts === undefined) return code === 0 ? noTests : oneFailure;
  if (await stuck) console.log(`✗ Jest did not end ${EXIT_MS / 1_000} s after its last test: something is still open`);
  return code !== 0 && counts.failed === 0 ? addCounts(counts, oneFailure) : counts;
}

/** Resolves whether it had to kill. */
async function killWhenStuck(resultFile: string, kill: () => void, over: AbortSignal): Promise<boolean> {
  try {
    while (readCounts(resultFile) === undefined) await sleep(1_000, undefined, { signal: over });
    await sleep(EXIT_MS, undefined, { signal: over });
  } catch {
    return false;
  }
  kill();
  return true;
}

function readCounts(file: string): Counts | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Counts;
  } catch {
    return undefined;
  }
}
