/** One fault from beginning to end: its waves of calls, the evidence of each call, the report. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { evidenceOf, type Evidence } from './evidence.ts';
import type { Fault } from './fault.ts';
import { phases, type Phase } from './persona.ts';
import { reportOf, type FaultReport } from './report.ts';
import { verdictOf, type Verdict } from './verdict.ts';
import { runWave, type WaveOptions, type WaveRun } from './wave.ts';
import type { World } from './world.ts';

export interface FaultRunOptions {
  /** All in all. */
  readonly calls: number;
  /** Live at once. */
  readonly width: number;
}

/**
 * Several waves: of two nodes, first all calls are gathered on the one that is struck; every second
 * wave is spread over both, and half of its calls are greeted when the fault strikes. A single wave has every phase.
 */
export function planWaves({ calls, width }: FaultRunOptions, oneOfTwo: boolean): WaveOptions[] {
  const talking = phases.filter((phase) => phase !== 'greeting');
  const waves: WaveOptions[] = [];
  for (let left = calls; left > 0; left -= width) {
    const size = Math.min(width, left);
    const only = calls <= width;
    const spread = only || waves.length % 2 === 1;
    const greetings = only ? Math.ceil(size / phases.length) : spread ? Math.floor(size / 2) : 0;
    const chosen = Array.from({ length: size }, (_, i): Phase =>
      i < greetings ? 'greeting' : (talking[(i - greetings) % talking.length] ?? 'goodbye'),
    );
    waves.push({ phases: chosen, concentrated: oneOfTwo && (only || !spread) });
  }
  return waves;
}

export async function runFault(world: World, fault: Fault, options: FaultRunOptions): Promise<FaultReport> {
  const width = fault.width ?? options.width;
  const verdicts: Verdict[] = [];
  const listeningMs: number[] = [];
  await using connection = await connect(world);
  const oneOfTwo = fault.strikesOneNode === true && fault.needs.mediaNodes > 1 && fault.place === undefined;
  for (const plan of planWaves({ calls: options.calls, width }, oneOfTwo)) {
    world.print(`  ${fault.name}: ${plan.phases.length} calls …`);
    const wave = await runWave(world, fault, plan);
    for (const run of wave.runs) {
      const evidence = await evidenceOf(world, wave, { run, client: connection.client });
      const verdict = verdictOf(evidence, {
        struckAtMs: wave.struckAtMs,
        timeZone: wave.business.timeZone,
        hit: run.phase !== 'arriving' && (wave.hit === null || wave.hit.has(evidence.record?.id ?? '')),
        endsCalls: fault.endsCalls === true,
        strikesUntilMs: fault.severalStrikes === true ? wave.overAtMs : null,
        arrivalsAre: fault.arrivalsAre ?? 'served',
      });
      verdicts.push(verdict);
      const { gap } = verdict;
      if (gap !== null)
        world.print(`    ${run.phase}: silent from ${Math.round(gap.fromMs)} to ${Math.round(gap.toMs)} ms after the fault`);
      for (const note of verdict.notes) world.print(`    ${run.phase} (${evidence.record?.id ?? 'no record'}): ${note}`);
      if (verdict.notes.length > 0) for (const line of onRecord(evidence, wave.struckAtMs)) world.print(`        ${line}`);
    }
    listeningMs.push(...(await takeovers(world, wave)));
  }
  return reportOf(fault.name, { verdicts, listeningMs });
}

/** For whoever has to find out what went wrong. */
function onRecord({ record }: Evidence, struckAtMs: number): string[] {
  return (record?.turns ?? []).map(
    ({ started_at, sequence, speaker, heard_text, latencies }) =>
      `${Date.parse(started_at) - struckAtMs} ms: ${sequence} ${speaker} "${heard_text}" ${JSON.stringify(latencies)}`,
  );
}

async function connect({ stack }: World): Promise<AsyncDisposable & { client: Client }> {
  const connection = await Connection.connect({ address: stack.env['TEMPORAL_ADDRESS'] ?? '' });
  const client = new Client({ connection, namespace: stack.env['TEMPORAL_NAMESPACE'] ?? 'default' });
  return { client, [Symbol.asyncDispose]: () => connection.close() };
}

const LISTENING = 'listening';
/** A takeover after this time is that of another fault. */
const LATEST_MS = 30_000;

/** From the fault to the line that a node logs with the first frame it heard of a caller that it took over. */
async function takeovers({ stack, logsDir }: World, { struckAtMs }: WaveRun): Promise<number[]> {
  const logs = Object.keys(stack.pids()).filter((name) => /^media\d*$/.test(name));
  const texts = await Promise.all(logs.map((name) => readFile(join(logsDir, `${name}.log`), 'utf8').catch(() => '')));
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.includes(LISTENING))
    .flatMap((line) => {
      const atMs = timeOf(line);
      return atMs !== null && atMs >= struckAtMs && atMs < struckAtMs + LATEST_MS ? [atMs - struckAtMs] : [];
    });
}

function timeOf(line: string): number | null {
  try {
    const { event, time } = JSON.parse(line) as { event?: unknown; time?: unknown };
    return event === LISTENING && typeof time === 'number' ? time : null;
  } catch {
    return null;
  }
}
