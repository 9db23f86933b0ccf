/**
 * npm run bench:call [-- --calls N] [--alone N]: starts everything, measures calls one at a time, the
 * webhook alone, and N calls at once, all at the caller's ear, and prints the figures. Asserts nothing.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startCarrier, type Carrier } from '../../setup/demo/carrier.ts';
import { runDemo, type DemoResult } from '../../setup/demo/run-demo.ts';
import { percentile } from '../../setup/demo/summary.ts';
import { loadParts } from '../../setup/stack/parts.ts';
import { createDataDir } from '../../setup/stack/run-dirs.ts';
import { startStack, type Stack } from '../../setup/stack/stack.ts';
import { watchUsage, type Usage } from './process-usage.ts';
import { table } from './table.ts';
import { postCalls } from './webhook.ts';

const { values } = parseArgs({ options: { calls: { type: 'string', default: '20' }, alone: { type: 'string', default: '3' } } });
const WEBHOOKS = 100;
const WEBHOOKS_PER_SECOND = 10;
const INACTIVE_NUMBER = '+12025550191';

const figures = (known: readonly (number | null)[]): string[] => {
  const measured = known.filter((value) => value !== null);
  return [0.5, 0.95, 1].map((share) => percentile(measured, share)).map((value) => (value === null ? '–' : String(Math.round(value))));
};

function callRows(name: string, result: DemoResult): string[][] {
  return [
    [`${name}: time to first audio`, ...figures(result.calls.map((call) => call.timeToFirstAudioMs))],
    [`${name}: turn latency`, ...figures(result.calls.flatMap((call) => call.turns.map((turn) => turn.latencyMs)))],
    [`${name}: barge-in silence`, ...figures(result.calls.map((call) => call.bargeInStopMs))],
  ];
}

async function main(): Promise<void> {
  await using dirs = await createDataDir();
  const logsDir = join(dirs.dataDir, 'logs');
  await mkdir(logsDir);
  const parts = loadParts(process.env);
  await using stack = await startStack({ parts, dataDir: dirs.dataDir, logsDir, external: {}, settings: { LOG_LEVEL: 'warn' } });
  await using carrier = await startCarrier({
    parts,
    dir: join(dirs.dataDir, 'carrier'),
    logFile: join(logsDir, 'carrier.log'),
    pbxSip: stack.sip,
  });

  console.log(`One call at a time, ${values.alone}x …`);
  const alone = await callsAlone(stack, carrier, Number(values.alone));
  console.log(`${WEBHOOKS} webhooks, ${WEBHOOKS_PER_SECOND} a second …`);
  const refused = await postCalls(stack, { calledNumber: await inactiveNumber(stack), count: WEBHOOKS, perSecond: WEBHOOKS_PER_SECOND });
  console.log(`${values.calls} calls at once, twenty a second …`);
  const watch = watchUsage(() => ({ ...stack.pids(), carrier: carrier.pid, 'the callers': process.pid }));
  const together = await runDemo({ carrier, target: targetOf(stack), calls: Number(values.calls), firstWish: Number(values.alone) });
  const usage = watch.stop();

  console.log(
    `\n${table([['milliseconds', 'p50', 'p95', 'max'], ...callRows('alone', alone), [`webhook (${refused.status})`, ...figures(refused.tookMs)], ...callRows(`${values.calls} at once`, together)])}`,
  );
  console.log(`\n${usageTable(usage, together.calls.length)}`);
  console.log(`\n  ${completed(alone)} of ${values.alone} alone and ${completed(together)} of ${values.calls} at once completed.`);
  for (const failure of [...alone.failures, ...together.failures]) console.log(`  ! ${failure}`);
}

const completed = (result: DemoResult): number => result.calls.filter((call) => call.disposition === 'completed').length;

function targetOf(stack: Stack) {
  const temporal = { address: stack.env['TEMPORAL_ADDRESS'] ?? '', namespace: stack.env['TEMPORAL_NAMESPACE'] ?? 'default' };
  return { apiUrl: stack.urls.api, demo: stack.demo, temporal };
}

async function callsAlone(stack: Stack, carrier: Carrier, count: number): Promise<DemoResult> {
  const results: DemoResult[] = [];
  for (let n = 0; n < count; n++) results.push(await runDemo({ carrier, target: targetOf(stack), firstWish: n }));
  return {
    ok: results.every((each) => each.ok),
    call: results[0]?.call ?? null,
    calls: results.flatMap((each) => each.calls),
    failures: results.flatMap((each) => each.failures),
  };
}

/** A number that is known and refused: the webhook's whole way without a call that follows. */
async function inactiveNumber(stack: Stack): Promise<string> {
  const response = await fetch(`${stack.urls.api}/api/tenants/${stack.demo.tenantId}/phone-numbers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ did_number: INACTIVE_NUMBER, is_active: false }),
  });
  if (!response.ok) throw new Error(`The number could not be made: ${response.status}`);
  return INACTIVE_NUMBER;
}

function usageTable(usage: Readonly<Record<string, Usage>>, calls: number): string {
  const rows = Object.entries(usage).map(([name, { rssBytes, cpuSeconds }]) => [
    name,
    String(Math.round(rssBytes / 1_048_576)),
    cpuSeconds.toFixed(1),
    calls === 0 ? '–' : (cpuSeconds / calls).toFixed(2),
  ]);
  return table([['process (with its children)', 'RSS MB, peak', 'CPU s', 'CPU s per call'], ...rows]);
}

await main();
