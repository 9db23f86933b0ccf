/**
 * npm test [-- pattern …]: starts the shared parts, runs Jest over them (everything but e2e first,
 * then e2e one file at a time), runs what failed of a complete run once more, looks for processes left behind, and ends with `N passed, N failed`.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { environmentKeys } from '../src/config.ts';
import { RUN_MARK } from './stack/child.ts';
import { leftovers, type Leftover } from './testing/leaks.ts';
import { addOutcomes, noTests, oneFailure, runJest, type Counts, type Outcome } from './testing/run-jest.ts';
import { runFailedAgain } from './testing/second-run.ts';
import { startShared } from './testing/shared-parts.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Calls in real time, each with a PBX of its own: alone on the machine, after the rest. */
const SERIAL = '/test/e2e/';
const LEFTOVER_GRACE_MS = 3_000;

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort(new Error(`Ended by ${signal}`)));
process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return finish(oneFailure);
});

async function main(patterns: readonly string[]): Promise<number> {
  // Tests decide about every setting themselves; a developer's environment must not.
  for (const key of environmentKeys) delete process.env[key];
  const mark = randomUUID();
  process.env[RUN_MARK] = mark;
  const startedAtMs = performance.now();
  const counts = await runEverything(patterns, startedAtMs);
  const left = await leftAfterGrace(mark);
  for (const { pid, command } of left) {
    console.log(`✗ left running after the tests: pid ${pid}, ${command}`);
    process.kill(pid, 'SIGKILL');
  }
  console.log(`\n  Took ${secondsSince(startedAtMs)}`);
  return finish({ ...counts, failed: counts.failed + left.length });
}

async function runEverything(patterns: readonly string[], startedAtMs: number): Promise<Outcome> {
  await using shared = await startShared(interrupted.signal);
  console.log(`  Shared parts   PostgreSQL, Redis, Temporal and embedded AI ready in ${secondsSince(startedAtMs)}\n`);
  const run = { root, stackFile: shared.file, signal: interrupted.signal };
  const files = testFiles(patterns);
  const [serial, others] = [files.filter((file) => file.includes(SERIAL)), files.filter((file) => !file.includes(SERIAL))];
  let outcome = noTests;
  if (others.length > 0) outcome = await runJest({ ...run, args: [...patterns, '--testPathIgnorePatterns', '/node_modules/', SERIAL] });
  if (serial.length > 0 && !interrupted.signal.aborted) {
    outcome = addOutcomes(outcome, await runJest({ ...run, args: [...patterns, '--runInBand', '--testMatch', `**${SERIAL}**/*.test.ts`] }));
  }
  // Who names a test wants to see it fail.
  return patterns.length > 0 ? outcome : runFailedAgain(outcome, { ...run, args: [] });
}

/** As Jest would select them; with a flag among the patterns, what it selects is left to Jest. */
function testFiles(patterns: readonly string[]): string[] {
  const wanted = patterns.some((pattern) => pattern.startsWith('-')) ? [] : patterns.map((pattern) => new RegExp(pattern, 'i'));
  const names = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
  const files = names.map((name) => join(root, 'test', name));
  return wanted.length === 0 ? files : files.filter((file) => wanted.some((pattern) => pattern.test(file)));
}

async function leftAfterGrace(mark: string): Promise<Leftover[]> {
  const deadline = performance.now() + LEFTOVER_GRACE_MS;
  for (;;) {
    const left = leftovers(mark);
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(100);
  }
}

function secondsSince(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1_000).toFixed(1)} s`;
}

/** Prints the last line. No test at all is a failure too: the pattern was wrong, or nothing was found. */
function finish(counts: Counts): number {
  if (counts.skipped > 0) console.log(`  ${counts.skipped} skipped`);
  const ran = counts.passed + counts.failed;
  if (ran === 0) console.log('  No test was found.');
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return ran > 0 && counts.failed === 0 ? 0 : 1;
}
