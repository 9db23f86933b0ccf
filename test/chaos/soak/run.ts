/** npm run soak: the same load for a long time, or one long call, and what grew meanwhile (docs/chaos.md). */
import { writeFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { interruptSignal } from '../../../setup/dev/interrupt.ts';
import { records } from '../../../setup/demo/records.ts';
import { loadParts } from '../../../setup/stack/parts.ts';
import { environmentKeys } from '../../../src/config.ts';
import { workflowIdFor } from '../../../src/contracts/call-workflow.ts';
import { table } from '../../bench/table.ts';
import { startWorld, type World } from '../world.ts';
import { callForLong, callWithoutEnd } from './callers.ts';
import { parseSoakOptions, usage, type SoakOptions } from './options.ts';
import { Sampler } from './sampler.ts';
import { trends, type Trend } from './slope.ts';

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const SAMPLE_MS = 10_000;
/** An hour's call has its own limits. */
const LONG = { MAX_CONVERSATION_TURNS: '100000', MAX_CONVERSATION_DURATION_SECONDS: '14000' };

const print = (line = ''): void => void process.stdout.write(`${line}\n`);
const interrupted = interruptSignal(() => process.exit(EXIT_INTERRUPTED));
const options = optionsOrExit();
if (options !== undefined) process.exit(await main(options));

function optionsOrExit(): SoakOptions | undefined {
  try {
    const parsed = parseSoakOptions(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd());
    if (parsed !== 'help') return parsed;
    print(usage);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
    process.exitCode = EXIT_USAGE;
  }
  return undefined;
}

async function main(chosen: SoakOptions): Promise<number> {
  for (const key of environmentKeys) delete process.env[key];
  const logs = chosen.logsDir === null ? {} : { logsDir: chosen.logsDir };
  await using world = await startWorld({
    parts: loadParts(process.env),
    print,
    mediaNodes: chosen.long ? 1 : 2,
    workers: 1,
    ...(chosen.long ? { settings: LONG } : {}),
    ...logs,
  });
  print(chosen.long ? `One call of ${chosen.minutes} minutes …` : `${chosen.calls} calls at once for ${chosen.minutes} minutes …`);
  await using sampler = new Sampler(world, SAMPLE_MS);
  const stopped = new Promise<null>((resolve) => interrupted.addEventListener('abort', () => resolve(null), { once: true }));
  const figures = await Promise.race([chosen.long ? longCall(world, chosen) : manyCalls(world, chosen), stopped]);
  const grown = trends(sampler.samples);
  print(`\n${trendTable(grown)}\n`);
  for (const [name, value] of Object.entries(figures ?? {})) if (!Array.isArray(value)) print(`  ${name}: ${String(value)}`);
  for (const failure of (figures?.failures ?? []).slice(0, 20)) print(`  ! ${failure}`);
  if (chosen.jsonFile !== null) {
    const result = { ...figures, minutes: chosen.minutes, trends: grown, samples: sampler.samples };
    await writeFile(chosen.jsonFile, `${JSON.stringify(result, null, 2)}\n`);
  }
  if (figures === null) return EXIT_INTERRUPTED;
  return figures.failures.length === 0 ? 0 : 1;
}

interface Figures {
  readonly calls: number;
  readonly failures: readonly string[];
  readonly historyEvents?: number;
  readonly turns?: number;
}

function manyCalls(world: World, { calls, minutes }: SoakOptions): Promise<Figures> {
  return callWithoutEnd(world, { calls, untilMs: Date.now() + minutes * 60_000 });
}

async function longCall(world: World, { minutes }: SoakOptions): Promise<Figures> {
  const { from, sinceMs, business, failure } = await callForLong(world, minutes);
  const stored = await records({ apiUrl: world.stack.urls.api, tenantId: business.tenantId }).finished(
    { callerNumber: from, sinceMs },
    60_000,
  );
  const { env } = world.stack;
  const connection = await Connection.connect({ address: env['TEMPORAL_ADDRESS'] ?? '' });
  try {
    const client = new Client({ connection, namespace: env['TEMPORAL_NAMESPACE'] ?? 'default' });
    const { historyLength } = await client.workflow.getHandle(workflowIdFor(stored.id)).describe();
    return { calls: 1, failures: failure === null ? [] : [failure], historyEvents: historyLength, turns: stored.turns.length };
  } finally {
    await connection.close();
  }
}

function trendTable(all: readonly Trend[]): string {
  const figure = (value: number): string => String(Math.round(value * 10) / 10);
  const rows = all.map(({ name, first, last, max, perHour }) => [
    name,
    ...[first, last, max].map(figure),
    perHour === null ? '–' : figure(perHour),
  ]);
  return table([['after the warm-up', 'first', 'last', 'max', 'slope per hour'], ...rows]);
}
