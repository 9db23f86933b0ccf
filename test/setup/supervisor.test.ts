import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processTree } from '../../setup/stack/process-tree.ts';
import { restartDelayMs, supervise, type SupervisedEvents } from '../../setup/stack/supervisor.ts';
import { until } from '../support/pbx.ts';

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
  const idle = 'setInterval(() => undefined, 1000)';
  /** As ps shows it: S sleeping, T stopped. */
  const stateOf = (pid: number): string | undefined => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  test('starts a process again that was killed, and knows the new pid', async () => {
    const restarted = Promise.withResolvers<number>();
    await using supervised = await supervise(part(idle), {
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
    const supervised = await supervise(part(idle), {
      ...silent,
      onRestarted: () => (restarts += 1),
      onDied: () => (restarts += 1),
    });
    await supervised.stop();
    expect(restarts).toBe(0);
    expect(isAlive(supervised.pid)).toBe(false);
  });

  test('goes on trying while what the process needs is away, and that is no crash loop', async () => {
    const marker = join(dir, 'dependency');
    const needs = `require('node:fs').existsSync(${JSON.stringify(marker)}) ? setInterval(() => undefined, 1000) : process.exit(69)`;
    writeFileSync(marker, '');
    let tries = 0;
    await using supervised = await supervise(
      { ...part(needs), ready: async (pid) => isAlive(pid) && existsSync(marker) },
      { ...silent, onDied: ({ outcome }) => (tries += outcome === 69 ? 1 : 0), onGaveUp: (error) => expect(error).toBeNull() },
    );
    rmSync(marker);
    supervised.kill();
    await until('it has tried more often than a crash loop may', () => tries > 6, 30_000);
    writeFileSync(marker, '');
    await supervised.again();
    expect(isAlive(supervised.pid)).toBe(true);
  }, 40_000);

  test('stays down until it is let up again, and that counts as no death', async () => {
    let deaths = 0;
    await using supervised = await supervise(part(idle), { ...silent, onDied: () => (deaths += 1) });
    const first = supervised.pid;
    await supervised.down();
    expect(isAlive(first)).toBe(false);
    await sleep(300);
    expect(supervised.running).toBe(false);
    await supervised.up();
    expect(supervised.pid).not.toBe(first);
    expect(isAlive(supervised.pid)).toBe(true);
    expect(deaths).toBe(0);
  });

  test('stops a process that is held down, and one that is frozen', async () => {
    const held = await supervise(part(idle), silent);
    await held.down();
    await held.stop();
    const frozen = await supervise({ ...part(idle), stopTimeoutMs: 60_000 }, silent);
    frozen.freeze();
    await until('it is stopped', () => stateOf(frozen.pid) === 'T');
    await frozen.stop();
    expect(isAlive(frozen.pid)).toBe(false);
  });

  test('freezes and thaws a process with everything it has started', async () => {
    const script = `require('node:child_process').spawn('sleep', ['60'], { stdio: 'ignore' }); ${idle}`;
    await using supervised = await supervise({ ...part(script), ready: async (pid) => processTree(pid).length === 2 }, silent);
    const tree = processTree(supervised.pid);
    supervised.freeze();
    await until('all are stopped', () => tree.every((pid) => stateOf(pid) === 'T'));
    supervised.thaw();
    await until('all go on', () => tree.every((pid) => stateOf(pid) === 'S'));
    await supervised.down();
    await until('all are gone', () => !tree.some(isAlive));
  });
});
