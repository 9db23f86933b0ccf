/**
 * All callers in one process, with one clock. Argument: a LoadPlan as JSON. Prints a LoadResult as one
 * line of JSON when the last call has ended.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { figuresOf } from '../figures.ts';
import { call } from './caller.ts';
import { FrameClock } from './frame-clock.ts';
import type { LoadPlan, LoadResult } from './load.ts';
import { framesOf, noiseFrames } from './media-stream.ts';
import type { TurnResult } from './script.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as LoadPlan;
const speech = framesOf(readFileSync(new URL('../audio/user.ulaw', import.meta.url)));
const noise = noiseFrames(50);
const clock = new FrameClock();
const turns: TurnResult[] = [];

const startedMs = performance.now();
const before = process.cpuUsage();
const ends = await Promise.all(
  Array.from({ length: plan.calls }, async (_, caller) => {
    await sleep((plan.staggerMs / plan.calls) * caller);
    let silent = caller;
    const silence = (): string => noise[silent++ % noise.length] as string;
    return call({ ...plan, caller, speech, silence, clock, onResult: (result) => turns.push(result) });
  }),
);
const { user, system } = process.cpuUsage(before);
const result: LoadResult = {
  turns,
  lost: ends.flatMap(({ lost }) => lost ?? []),
  callMinutes: ends.reduce((sum, { lastedMs }) => sum + lastedMs, 0) / 60_000,
  wallSeconds: (performance.now() - startedMs) / 1_000,
  cpuSeconds: (user + system) / 1_000_000,
  lateMs: figuresOf(clock.lateMs),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
