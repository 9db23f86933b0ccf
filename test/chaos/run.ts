/** npm run chaos: real calls, real kills, and the caller's own recording (docs/chaos.md). Exit code 0 only when every call went as it should. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Interrupted, interruptSignal } from '../../setup/dev/interrupt.ts';
import { startingUntil } from '../../setup/stack/child.ts';
import { loadParts } from '../../setup/stack/parts.ts';
import { environmentKeys } from '../../src/config.ts';
import { whatJanitorFinds } from './aftermath.ts';
import type { Fault } from './fault.ts';
import { faults } from './faults.ts';
import { parseChaosOptions, usage, type ChaosOptions } from './options.ts';
import { faultTable, isClean, reportOf, type FaultReport } from './report.ts';
import { runFault } from './run-fault.ts';
import { startWorld, type World } from './world.ts';

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const names = faults.map(({ name }) => name);
const print = (line = ''): void => void process.stdout.write(`${line}\n`);
const interrupted = interruptSignal(() => process.exit(EXIT_INTERRUPTED));

process.exit(await main());

async function main(): Promise<number> {
  let options: ChaosOptions | 'help';
  try {
    options = parseChaosOptions(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd(), names);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage(names)}\n`);
    return EXIT_USAGE;
  }
  if (options === 'help') {
    print(usage(names));
    return 0;
  }
  // The suite settles every setting itself; a developer's environment must not.
  for (const key of environmentKeys) delete process.env[key];
  const { faults: wanted } = options;
  const chosen = faults.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const reports: FaultReport[] = [];
  const janitor: string[] = [];
  const write = async (): Promise<void> => {
    if (options.jsonFile !== null) await writeFile(options.jsonFile, `${JSON.stringify({ faults: reports, janitor }, null, 2)}\n`);
  };
  for (const group of groups(chosen)) {
    const outcome = await runGroup(group, options);
    reports.push(...outcome.reports);
    janitor.push(...outcome.janitor);
    await write();
    if (interrupted.aborted) break;
  }
  print(`\n${faultTable(reports)}\n`);
  for (const { name, what } of chosen) print(`  ${name.padEnd(18)} ${what}`);
  const endsCalls = new Set(faults.filter((fault) => fault.endsCalls === true).map(({ name }) => name));
  const unclean = reports.filter((report) => !isClean(report, endsCalls.has(report.name)));
  if (unclean.length > 0) print(`\n  Not as it should be: ${unclean.map(({ name }) => name).join(', ')}`);
  if (interrupted.aborted) return EXIT_INTERRUPTED;
  print(`\n  The janitor found ${janitor.length === 0 ? 'nothing' : 'what is listed above'} when the calls were over.`);
  return unclean.length === 0 && janitor.length === 0 ? 0 : 1;
}

/** Neighbours with the same needs. */
function groups(chosen: readonly Fault[]): Fault[][] {
  const all: Fault[][] = [];
  for (const fault of chosen) {
    const last = all.at(-1);
    const same =
      last?.[0] !== undefined &&
      JSON.stringify(last[0].needs) === JSON.stringify(fault.needs) &&
      fault.place === undefined &&
      last[0].place === undefined;
    if (same) last.push(fault);
    else all.push([fault]);
  }
  return all;
}

interface GroupOutcome {
  readonly reports: readonly FaultReport[];
  /** What the janitor found afterwards. */
  readonly janitor: readonly string[];
}

async function runGroup(group: readonly Fault[], options: ChaosOptions): Promise<GroupOutcome> {
  const [first] = group;
  if (first === undefined) return { reports: [], janitor: [] };
  const impossible = (await first.impossible?.()) ?? null;
  if (impossible !== null) return { reports: [reportOf(first.name, { verdicts: [], listeningMs: [] }, impossible)], janitor: [] };
  const running = new AsyncDisposableStack();
  const reports: FaultReport[] = [];
  const janitor: string[] = [];
  try {
    const place = first.place === undefined ? undefined : running.use(await first.place());
    const logs = options.logsDir === null ? {} : { logsDir: join(options.logsDir, first.name) };
    const placed = place === undefined ? {} : { placeMedia: place.placeMedia };
    print(`\nStarting ${first.needs.mediaNodes} media nodes, ${first.needs.workers} workers …`);
    const world = running.use(
      await startingUntil(interrupted, () => startWorld({ parts: loadParts(process.env), print, ...first.needs, ...logs, ...placed })),
    );
    for (const fault of group) {
      if (interrupted.aborted) break;
      reports.push(await tried(world, fault, options));
    }
    if (!interrupted.aborted) janitor.push(...(await whatJanitorFinds(world)));
    for (const line of janitor) print(`  The janitor found ${line}`);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    await running.disposeAsync();
  }
  return { reports, janitor };
}

async function tried(world: World, fault: Fault, { calls, atOnce }: ChaosOptions): Promise<FaultReport> {
  const untilInterrupted = new Promise<never>((_, reject) => {
    interrupted.addEventListener('abort', () => reject(interrupted.reason as Error), { once: true });
  });
  untilInterrupted.catch(() => undefined);
  const report = await Promise.race([runFault(world, fault, { calls, width: atOnce }), untilInterrupted]);
  print(`${faultTable([report])}\n`);
  return report;
}
