import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restartDelayMs, supervise, type SupervisedEvents } from '../../setup/stack/supervisor.ts';

describe('restartDelayMs', () => {
  test('the first death is answered at once, the next ones with growing delays', () => {
    expect(restartDelayMs([0])).toBe(0);
    expect(restartDelayMs([0, 1_000])).toBe(200);
    expect(restartDelayMs([0, 1_000, 2_000])).toBe(400);
    expect(restartDelayMs([0, 1_000, 2_000, 3_000, 4_000])).toBe(1_600);
  });

  test('six deaths within a minute are a crash loop; spread over a day they are not', () => {
    const deaths = [0, 1, 2, 3, 4, 5];
    expect(restartDelayMs(deaths.map((n) => n * 1_000))).toBeNull();
    expect(restartDelayMs(deaths.map((n) => n * 3_600_000))).toBe(0);
  });
});

describe('supervise', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'holdfast-supervisor-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const silent: SupervisedEvents = { onDied: () => undefined, onRestarted: () => undefined, onGaveUp: () => undefined };
  const part = (script: string) => ({
    name: 'part',
    command: [process.execPath, '-e', script],
    logFile: join(dir, 'part.log'),
    ready: async () => true,
  });
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  test('starts a process again that was killed, and knows the new pid', async () => {
    const restarted = Promise.withResolvers<number>();
    await using supervised = await supervise(part('setInterval(() => undefined, 1000)'), {
      ...silent,
      onRestarted: ({ pid }) => restarted.resolve(pid),
    });
    const first = supervised.pid;
    process.kill(first, 'SIGKILL');
    const second = await restarted.promise;
    expect(second).not.toBe(first);
    expect(supervised.pid).toBe(second);
    expect(isAlive(first)).toBe(false);
    expect(isAlive(second)).toBe(true);
    await supervised.stop();
    expect(isAlive(second)).toBe(false);
  });

  test('gives up on a crash loop and says where to look', async () => {
    const gaveUp = Promise.withResolvers<Error>();
    let deaths = 0;
    await using supervised = await supervise(part('process.exit(7)'), { ...silent, onDied: () => (deaths += 1), onGaveUp: gaveUp.resolve });
    const error = await gaveUp.promise;
    expect(error.message).toMatch(/part died 6 times within 60 s.*Log: .*part\.log/);
    expect(deaths).toBe(5);
    expect(isAlive(supervised.pid)).toBe(false);
  });

  test('does not start a process again that was stopped', async () => {
    let restarts = 0;
    const supervised = await supervise(part('setInterval(() => undefined, 1000)'), {
      ...silent,
      onRestarted: () => (restarts += 1),
      onDied: () => (restarts += 1),
    });
    await supervised.stop();
    expect(restarts).toBe(0);
    expect(isAlive(supervised.pid)).toBe(false);
  });
});
