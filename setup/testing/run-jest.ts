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

export interface Outcome extends Counts {
  /** Their counts are part of the whole. */
  readonly failedFiles: readonly (Counts & { readonly path: string })[];
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

export const noTests: Outcome = { passed: 0, failed: 0, skipped: 0, failedFiles: [] };
export const addOutcomes = (a: Outcome, b: Outcome): Outcome => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  failedFiles: [...a.failedFiles, ...b.failedFiles],
});
export const oneFailure: Outcome = { ...noTests, failed: 1 };

const FLAGS = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
/** An open handle keeps Jest from ending after its last test. */
const EXIT_MS = 60_000;

/** What Jest itself gets wrong (a crash, a test that ends the process, never ending) counts as one failure. */
export async function runJest(run: JestRun): Promise<Outcome> {
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
  const outcome = readOutcome(resultFile);
  if (outcome === undefined) return code === 0 ? noTests : oneFailure;
  if (await stuck) console.log(`✗ Jest did not end ${EXIT_MS / 1_000} s after its last test: something is still open`);
  return code !== 0 && outcome.failed === 0 ? addOutcomes(outcome, oneFailure) : outcome;
}

/** Resolves whether it had to kill. */
async function killWhenStuck(resultFile: string, kill: () => void, over: AbortSignal): Promise<boolean> {
  try {
    while (readOutcome(resultFile) === undefined) await sleep(1_000, undefined, { signal: over });
    await sleep(EXIT_MS, undefined, { signal: over });
  } catch {
    return false;
  }
  kill();
  return true;
}

function readOutcome(file: string): Outcome | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Outcome;
  } catch {
    return undefined;
  }
}
