import { setTimeout as sleep } from 'node:timers/promises';
import { FrameClock } from './frame-clock.ts';

/** One frame more or less, for a moment that is not on its grid. */
const frames = (ms: number) => ({ atLeast: Math.floor(ms / 20) - 1, atMost: Math.floor(ms / 20) + 1 });

function blockFor(ms: number): void {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs;);
}

test('every caller gets a tick for each 20 ms that pass, those included in which the process was busy', async () => {
  const clock = new FrameClock();
  const callers = [0, 7].map((caller) => ({ caller, ticks: 0, lastMs: 0 }));
  const startedMs = performance.now();
  const ends = callers.map((each) =>
    clock.every(each.caller, () => {
      each.ticks++;
      each.lastMs = performance.now();
    }),
  );
  await sleep(100);
  blockFor(150);
  await sleep(50);
  for (const end of ends) end();
  for (const { ticks, lastMs } of callers) {
    const { atLeast, atMost } = frames(lastMs - startedMs);
    expect(ticks).toBeGreaterThanOrEqual(atLeast);
    expect(ticks).toBeLessThanOrEqual(atMost);
  }
  expect(Math.max(...clock.lateMs)).toBeGreaterThan(50);
});

test('a caller who comes after a pause is owed nothing of it', async () => {
  const clock = new FrameClock();
  clock.every(0, () => undefined)();
  await sleep(120);
  let ticks = 0;
  const end = clock.every(0, () => ticks++);
  const startedMs = performance.now();
  await sleep(40);
  end();
  expect(ticks).toBeLessThanOrEqual(frames(performance.now() - startedMs).atMost);
});
