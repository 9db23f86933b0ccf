import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RUN_MARK } from '../../setup/stack/child.ts';
import { leftovers } from '../../setup/testing/leaks.ts';
import { runJest } from '../../setup/testing/run-jest.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-run-jest-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const root = join(import.meta.dirname, '../..');
const run = (fixture: string) =>
  runJest({
    root,
    args: ['--testMatch', `**/jest-fixtures/${fixture}.fixture.ts`],
    stackFile: join(dir, 'stack.json'),
    signal: new AbortController().signal,
    quiet: true,
  });

describe('runJest', () => {
  test('counts tests', async () => {
    expect(await run('two-pass-one-fails')).toEqual({ passed: 2, failed: 1, skipped: 0 });
  });

  test('a file that cannot run is a failure', async () => {
    expect(await run('cannot-run')).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  test('nothing to run is nothing passed', async () => {
    expect(await run('no-such')).toEqual({ passed: 0, failed: 0, skipped: 0 });
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
