/**
 * Files that failed are run once more, alone. Calls in real time share the cores with whatever else the
 * machine does just then; what a test asserts must hold in a second run, or the first one was right.
 */
import { relative } from 'node:path';
import { addOutcomes, noTests, runJest, type JestRun, type Outcome } from './run-jest.ts';

/** More than this is no accident. */
const FILES_MAX = 5;

/** @returns the outcome with the second run's counts in the place of the first one's. */
export async function runFailedAgain(first: Outcome, run: JestRun): Promise<Outcome> {
  const { failedFiles } = first;
  if (failedFiles.length === 0 || failedFiles.length > FILES_MAX || run.signal.aborted) return first;
  if (run.quiet !== true) console.log('\n  What failed is run once more, alone:');
  const paths = failedFiles.map(({ path }) => path);
  const second = await runJest({ ...run, args: [...run.args, '--runInBand', '--runTestsByPath', ...paths] });
  // Nobody should have to read the whole output to find out that a test is unsteady.
  const unsteady = paths.filter((path) => second.failedFiles.every((file) => file.path !== path));
  if (run.quiet !== true) for (const path of unsteady) console.log(`  passed in the second run only: ${relative(run.root, path)}`);
  return addOutcomes(without(first), second);
}

/** The first run, as if the files that failed had not been in it. */
function without({ failedFiles, ...whole }: Outcome): Outcome {
  const theirs = failedFiles.reduce((sum, file) => addOutcomes(sum, { ...file, failedFiles: [] }), noTests);
  return {
    passed: whole.passed - theirs.passed,
    failed: whole.failed - theirs.failed,
    skipped: whole.skipped - theirs.skipped,
    failedFiles: [],
  };
}
