/** One row, once: a fresh fake AI, a fresh system, the callers, and what they cost and heard. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild } from '../../../setup/stack/child.ts';
import { freePort } from '../../../setup/stack/ports.ts';
import type { TurnLatencies } from '../../../src/contracts/turn.ts';
import { usageOf, watchUsage, type Usage } from '../process-usage.ts';
import type { AiStats } from './ai/server.ts';
import { runLoad } from './load/load.ts';
import { machineTime, stealShare } from './machine-time.ts';
import type { Measured, Planned } from './row-figures.ts';
import type { StartSystem } from './systems.ts';

export interface RowRun extends Measured {
  readonly stages: readonly TurnLatencies[];
}

export interface RowPlan extends Planned {
  /** Of this row alone; logs go here. */
  readonly dir: string;
}

/** After its start a process settles; what it holds then is its idle memory. */
const SETTLE_MS = 2_000;
const SAMPLE_MS = 1_000;
/** Calls start spread over so long. */
const staggerMs = (calls: number): number => (calls === 1 ? 0 : calls > 10 ? 10_000 : 6_000);

export async function runRow(start: StartSystem, { dir, ...plan }: RowPlan): Promise<RowRun> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const ai = await startFakeAi(dir);
  await using _ai = ai;
  await using system = await start({ aiBaseUrl: `${ai.url}/v1`, dir, logFile: join(dir, 'system.log') });
  await sleep(SETTLE_MS);
  const idle = total(usageOf(system.pids));
  const before = await timeOfMachine();
  const watch = watchUsage(() => system.pids, SAMPLE_MS);
  const load = await runLoad({ ...plan, url: system.url, staggerMs: staggerMs(plan.calls) });
  const used = total(watch.stop());
  return {
    load,
    ai: (await (await fetch(`${ai.url}/stats`)).json()) as AiStats,
    cpuSeconds: used.cpuSeconds,
    idleRssBytes: idle.rssBytes,
    peakRssBytes: used.rssBytes,
    stealShare: stealShare(before, await timeOfMachine()),
    stages: await system.stages(),
  };
}

async function startFakeAi(dir: string) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = fileURLToPath(new URL('./ai/main.ts', import.meta.url));
  const child = await startChild({
    name: 'fake AI',
    command: [process.execPath, '--disable-warning=ExperimentalWarning', program, String(port)],
    logFile: join(dir, 'ai.log'),
    ready: async () => (await fetch(`${url}/v1/models`)).ok,
  });
  return { url, [Symbol.asyncDispose]: () => child.stop() };
}

const total = (usage: Readonly<Record<string, Usage>>): Usage => ({
  rssBytes: Object.values(usage).reduce((sum, { rssBytes }) => sum + rssBytes, 0),
  cpuSeconds: Object.values(usage).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
});

const timeOfMachine = async () => machineTime(await readFile('/proc/stat', 'utf8'));
