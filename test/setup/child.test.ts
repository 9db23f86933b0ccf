import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, startingUntil } from '../../setup/stack/child.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-child-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

let count = 0;
const options = (script: string) => {
  const name = `part-${++count}`;
  return { name, command: [process.execPath, '-e', script], logFile: join(dir, `${name}.log`) };
};
const idle = 'setInterval(() => undefined, 1000)';

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(20);
  }
}

describe('startChild', () => {
  test('resolves when the process is ready, and stop leaves none', async () => {
    const child = await startChild({ ...options(idle), ready: async () => true });
    expect(child.running).toBe(true);
    await child.stop();
    expect(child.running).toBe(false);
    await gone(child.pid);
  });

  test('kills a process that ignores its stop signal', async () => {
    const marker = join(dir, 'ignoring');
    const script = `process.on('SIGTERM', () => undefined); require('node:fs').writeFileSync(${JSON.stringify(marker)}, ''); ${idle}`;
    const child = await startChild({ ...options(script), ready: async () => existsSync(marker), stopTimeoutMs: 100 });
    await child.stop();
    expect(await child.exited).toBe('SIGKILL');
  });

  test('names the part and shows the end of its log when it ends before it is ready', async () => {
    const starting = startChild({ ...options("console.error('the port is taken'); process.exit(3)"), ready: async () => false });
    await expect(starting).rejects.toThrow(/part-\d+ ended at once \(3\)[\s\S]*the port is taken/);
  });

  test('a program that does not exist is named, not waited for', async () => {
    const missing = { ...options(''), command: ['/nonexistent/program'], ready: async () => false };
    await expect(startChild(missing)).rejects.toThrow(/part-\d+ ended at once/);
  });

  test('a start that is given up rejects with the reason and leaves no process', async () => {
    const interrupted = new AbortController();
    let seenPid = 0;
    const starting = startingUntil(interrupted.signal, () =>
      startChild({
        ...options(idle),
        ready: async (pid) => {
          seenPid = pid;
          interrupted.abort(new Error('Ctrl-C'));
          return false;
        },
      }),
    );
    await expect(starting).rejects.toThrow('Ctrl-C');
    await gone(seenPid);
  });

  test('the process ends when its parent is killed without warning', async () => {
    const pidFile = join(dir, 'orphan.pid');
    const child = JSON.stringify({ ...options(idle) });
    const script = `
      import { startChild } from ${JSON.stringify(join(import.meta.dirname, '../../setup/stack/child.ts'))};
      import { writeFileSync } from 'node:fs';
      const child = await startChild({ ...${child}, ready: async () => true });
      writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));`;
    const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: 'inherit' });
    while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await sleep(20);
    parent.kill('SIGKILL');
    await gone(Number(readFileSync(pidFile, 'utf8')));
  });
});
