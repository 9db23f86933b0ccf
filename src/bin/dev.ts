/** `npm start` after the bootstrap: the whole stack, one demo call (or several, or none), up until Ctrl-C. */
import { join } from 'node:path';
import { formatSummary } from '../../setup/demo/format-summary.ts';
import { runDemo, type DemoResult } from '../../setup/demo/run-demo.ts';
import { startCarrier, type Carrier } from '../../setup/demo/carrier.ts';
import { Interrupted, interruptSignal } from '../../setup/dev/interrupt.ts';
import { parseDevOptions, usage, type DevOptions } from '../../setup/dev/options.ts';
import { writeSummary } from '../../setup/dev/summary-file.ts';
import { createTerminal, links, partTitle, printLinks } from '../../setup/dev/terminal.ts';
import { startingUntil } from '../../setup/stack/child.ts';
import { externalParts } from '../../setup/stack/external.ts';
import { loadParts } from '../../setup/stack/parts.ts';
import { createRunDirs } from '../../setup/stack/run-dirs.ts';
import { startStack, type Stack } from '../../setup/stack/stack.ts';
import { environmentKeys } from '../config.ts';

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
/** The demo tenant's, for the summary. */
const DEMO_TIME_ZONE = 'America/New_York';

const terminal = createTerminal(process.stdout, process.env);
const interrupted = interruptSignal(() => process.exit(EXIT_INTERRUPTED));
const options = optionsOrExit();
if (options !== undefined) process.exit(await main(options));

function optionsOrExit(): DevOptions | undefined {
  try {
    const parsed = parseDevOptions(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd());
    if (parsed !== 'help') return parsed;
    terminal.print(usage);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
    process.exitCode = EXIT_USAGE;
  }
  return undefined;
}

async function main(chosen: DevOptions): Promise<number> {
  const running = new AsyncDisposableStack();
  let code: number;
  try {
    code = await run(chosen, running);
  } catch (error) {
    if (error instanceof Interrupted) code = EXIT_INTERRUPTED;
    else {
      process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
      code = 1;
    }
  }
  terminal.print('\n  Stopping …');
  await running.disposeAsync();
  terminal.print('  Stopped.');
  return code;
}

async function run(chosen: DevOptions, running: AsyncDisposableStack): Promise<number> {
  const dirs = running.use(await createRunDirs({ startedAt: new Date(), keepDir: process.env['HOLDFAST_RUN_DIR'] }));
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  const parts = loadParts(process.env);
  const settings = Object.fromEntries(environmentKeys.flatMap((key) => (process.env[key] ? [[key, process.env[key]]] : []))) as Record<
    string,
    string
  >;
  let changed = (): void => undefined;

  terminal.heading('Starting');
  const stack = running.use(
    await startStack({
      parts,
      ...dirs,
      external: externalParts(process.env),
      settings,
      wellKnownPorts: true,
      signal: interrupted,
      events: {
        onReady: terminal.ready,
        onDied: ({ name, outcome }) => terminal.warn(`${partTitle(name)} died (${outcome}) and is started again`),
        onRestarted: ({ name, pid }) => {
          terminal.warn(`${partTitle(name)} runs again as pid ${pid}`);
          changed();
        },
        onGaveUp: broken.reject,
      },
    }),
  );
  const carrier =
    chosen.calls === 0 ? undefined : running.use(await carrierFor({ stack, dataDir: dirs.dataDir, recordingsDir: dirs.recordingsDir }));
  const result = carrier === undefined ? null : await demo(carrier, stack, chosen.calls, broken.promise);
  const { jsonFile } = chosen;
  const write = async (): Promise<void> => {
    if (jsonFile !== null)
      await writeSummary(jsonFile, {
        stack,
        result,
        pids: { ...stack.pids(), ...(carrier === undefined ? {} : { carrier: carrier.pid }) },
      });
  };
  await write();
  // A process that was started again has another pid.
  changed = () => void write().catch((error: unknown) => terminal.warn(`${jsonFile} could not be written: ${String(error)}`));

  terminal.heading('Look around');
  const workflowIds = result?.calls.map((call) => call.workflowId) ?? [];
  printLinks(terminal, links({ stack, workflowIds, recordingsDir: carrier === undefined ? null : dirs.recordingsDir }));
  if (chosen.once) return result?.ok === true ? 0 : 1;
  terminal.print('\n  Running until Ctrl-C.');
  await Promise.race([broken.promise, untilInterrupted()]);
  return 0;
}

interface CarrierPlace {
  readonly stack: Stack;
  readonly dataDir: string;
  readonly recordingsDir: string;
}

async function carrierFor({ stack, dataDir, recordingsDir }: CarrierPlace): Promise<Carrier> {
  const startedAtMs = performance.now();
  const place = { dir: join(dataDir, 'carrier'), recordingsDir, logFile: join(stack.logsDir, 'carrier.log') };
  const carrier = await startingUntil(interrupted, () => startCarrier({ parts: loadParts(process.env), ...place, pbxSip: stack.sip }));
  terminal.ready({ name: 'carrier', detail: `SIP ${carrier.sip.host}:${carrier.sip.port}`, ms: performance.now() - startedAtMs });
  return carrier;
}

async function demo(carrier: Carrier, stack: Stack, calls: number, broken: Promise<never>): Promise<DemoResult> {
  terminal.heading(calls === 1 ? 'One call' : `${calls} calls at once`);
  const temporal = { address: stack.env['TEMPORAL_ADDRESS'] ?? '', namespace: stack.env['TEMPORAL_NAMESPACE'] ?? 'default' };
  const target = { apiUrl: stack.urls.api, demo: stack.demo, temporal };
  const running = runDemo({ carrier, target, calls, print: terminal.print, colour: terminal.colour });
  // Ctrl-C in the middle of the call: what it would still report is no longer of interest.
  running.catch(() => undefined);
  const result = await Promise.race([running, broken, untilInterrupted().then(() => Promise.reject(interrupted.reason as Error))]);
  terminal.heading('What happened');
  for (const line of formatSummary(result, DEMO_TIME_ZONE)) terminal.print(line);
  return result;
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    if (interrupted.aborted) resolve();
    else interrupted.addEventListener('abort', () => resolve(), { once: true });
  });
}
