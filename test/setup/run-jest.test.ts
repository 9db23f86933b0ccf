import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RUN_MARK } from '../../setup/stack/child.ts';
import { leftovers } from '../../setup/testing/leaks.ts';
import { runJest, type JestRun } from '../../setup/testing/run-jest.ts';
import { runFailedAgain } from '../../setup/testing/second-run.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-run-jest-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const root = join(import.meta.dirname, '../..');
const options = (fixture: string): JestRun => ({
  root,
  args: ['--testMatch', `**/jest-fixtures/${fixture}.fixture.ts`],
  stackFile: join(dir, 'stack.json'),
  signal: new AbortController().signal,
  quiet: true,
});
const run = (fixture: string) => runJest(options(fixture));

describe('runJest', () => {
  test('counts tests', async () => {
    expect(await run('two-pass-one-fails')).toMatchObject({ passed: 2, failed: 1, skipped: 0 });
  });

  test('a file that cannot run is a failure', async () => {
    expect(await run('cannot-run')).toMatchObject({ passed: 0, failed: 1, skipped: 0 });
  });

  test('nothing to run is nothing passed', async () => {
    expect(await run('no-such')).toEqual({ passed: 0, failed: 0, skipped: 0, failedFiles: [] });
  });
});

describe('runFailedAgain', () => {
  afterEach(() => void delete process.env['HOLDFAST_FAILS_ONCE']);

  test('counts what a file did in its second run', async () => {
    process.env['HOLDFAST_FAILS_ONCE'] = join(dir, 'failed-once');
    const all = options('{fails-once,two-pass-one-fails}');
    const first = await runJest(all);
    expect(first).toMatchObject({ passed: 2, failed: 2 });
    expect(await runFailedAgain(first, all)).toMatchObject({ passed: 3, failed: 1, skipped: 0 });
  });

  test('leaves a run alone in which much has failed', async () => {
    const failed = { passed: 1, failed: 1, skipped: 0 };
    const failedFiles = Array.from({ length: 6 }, (_, index) => ({ ...failed, path: `/no/such/${index}.test.ts` }));
    const first = { passed: 6, failed: 6, skipped: 0, failedFiles };
    expect(await runFailedAgain(first, options('fails-once'))).toEqual(first);
  });
});

describe('leftovers', () => {
  test('finds an orphan by the mark of its run, and nothing of other runs', async () => {
    const mark = randomUUID();
    // The shell ends at once, so the sleeping process belongs to nobody we know.
    const env = { ...process.env, [RUN_MARK]: mark };
    const { stdout } = await promisify(execFile)('sh', ['-c', 'sleep 60 >/dev/null 2>&1 & echo $!'], { env });
    const found = leftovers(mark);
    for (const { pid } of found) process.kill(pid, 'SIGKILL');
    expect(found).toEqual([{ pid: Number(stdout), command: 'sleep 60' }]);
    expect(leftovers(randomUUID())).toEqual([]);
  });
});
