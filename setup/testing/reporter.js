/**
 * One line per test file, every failure in full, and the counts: as the last line, or into the file
 * HOLDFAST_TEST_RESULT when `npm test` adds up several runs.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

const colour = process.stdout.isTTY && !process.env['NO_COLOR'];
const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

export default class Reporter {
  #rootDir;
  #failedFiles = [];

  constructor(globalConfig) {
    this.#rootDir = globalConfig.rootDir;
  }

  onTestResult(test, result) {
    const seconds = ((result.perfStats.end - result.perfStats.start) / 1_000).toFixed(1);
    const name = relative(this.#rootDir, test.path);
    const broken = result.testExecError !== undefined && result.testExecError !== null;
    const failed = result.numFailingTests + (broken && result.numFailingTests === 0 ? 1 : 0);
    const skipped = result.numPendingTests + result.numTodoTests;
    const counts = [
      `${result.numPassingTests} passed`,
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ];
    const mark = failed > 0 ? paint(31, '✗') : paint(32, '✓');
    console.log(`${mark} ${name.padEnd(60)} ${counts.join(', ')}  ${paint(2, `${seconds} s`)}`);
    if (failed === 0) return;
    this.#failedFiles.push({ path: test.path, passed: result.numPassingTests, failed, skipped });
    for (const assertion of result.testResults) {
      if (assertion.status !== 'failed') continue;
      console.log(`\n  ${paint(31, '✗')} ${assertion.fullName}\n`);
      for (const message of assertion.failureMessages) console.log(indent(message));
    }
    if (broken) console.log(indent(result.failureMessage ?? result.testExecError.message));
    if (result.console?.length > 0) {
      console.log('  printed by this file:');
      for (const entry of result.console) console.log(indent(entry.message));
    }
  }

  onRunComplete(_contexts, results) {
    const passed = results.numPassedTests;
    // A file that could not run has no tests of its own to count.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const file = process.env['HOLDFAST_TEST_RESULT'];
    if (file) {
      writeFileSync(file, JSON.stringify({ passed, failed, skipped, failedFiles: this.#failedFiles }));
      return;
    }
    if (skipped > 0) console.log(`${skipped} skipped`);
    console.log(`${passed} passed, ${failed} failed`);
  }
}

function indent(text) {
  return (
    text
      .split('\n')
      // Jest's own frames say nothing about the failure.
      .filter((line) => !/^\s+at .*node_modules\/jest-/.test(line))
      .map((line) => `    ${line}`)
      .join('\n')
  );
}
