import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cached } from '../../../setup/bootstrap/cache.mjs';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-cache-'));
  process.env['HOLDFAST_CACHE'] = dir;
});
afterEach(async () => {
  delete process.env['HOLDFAST_CACHE'];
  await rm(dir, { recursive: true, force: true });
});

const waiting = (): void => undefined;

describe('cached', () => {
  test('builds once when two ask at the same time, and both get the finished directory', async () => {
    let builds = 0;
    const build = async (target: string): Promise<void> => {
      builds += 1;
      await sleep(50);
      await writeFile(join(target, 'part'), 'complete');
    };
    const [first, second] = await Promise.all([cached('thing-1', { build, waiting }), cached('thing-1', { build, waiting })]);
    expect(builds).toBe(1);
    expect(second).toBe(first);
    expect(readFileSync(join(first, 'part'), 'utf8')).toBe('complete');
    expect(readdirSync(dir)).toEqual(['thing-1']);
  });

  test('a build that fails leaves nothing, and the next one begins afresh', async () => {
    const broken = async (target: string): Promise<void> => {
      await writeFile(join(target, 'half'), '');
      throw new Error('no network');
    };
    await expect(cached('thing-2', { build: broken, waiting })).rejects.toThrow('no network');
    expect(readdirSync(dir)).toEqual([]);
    const whole = (target: string): Promise<void> => writeFile(join(target, 'whole'), '');
    expect(readdirSync(await cached('thing-2', { build: whole, waiting }))).toEqual(['whole']);
  });

  test('takes over from a set-up that died while it held the lock', async () => {
    const pidThatNeverLived = '4194999';
    writeFileSync(join(dir, 'thing-3.lock'), pidThatNeverLived);
    mkdirSync(join(dir, 'thing-3.building-abc123'));
    const target = await cached('thing-3', { build: (place: string) => writeFile(join(place, 'part'), ''), waiting });
    expect(readdirSync(target)).toEqual(['part']);
    expect(readdirSync(dir)).toEqual(['thing-3']);
  });
});
