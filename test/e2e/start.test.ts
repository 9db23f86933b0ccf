/** `npm start` after its bootstrap: the summary file it promises, its exit code, and nothing left running. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseWav } from '../../setup/demo/wav.ts';
import type { CallSummary } from '../../setup/demo/summary.ts';
import { until } from '../support/pbx.ts';
import { sharedParts } from '../support/stack.ts';

const TIMEOUT_MS = 180_000;

interface Summary {
  readonly ok: boolean;
  readonly failures: readonly string[];
  readonly call: CallSummary;
  readonly calls: readonly CallSummary[];
  readonly urls: Readonly<Record<string, string>>;
  readonly demo: { readonly tenantId: string; readonly did: string };
  readonly pids: Readonly<Record<string, number>>;
}

interface Started {
  readonly child: ChildProcess;
  readonly jsonFile: string;
  readonly exited: Promise<number | null>;
  printed(): string;
}

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hf-start-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function start(name: string, args: readonly string[]): Started {
  const jsonFile = join(dir, `${name}.json`);
  // Alone with its parts, as on a machine where nothing is set; the mark tells npm test whose children these are.
  const { PATH, HOME, HOLDFAST_RUN_MARK } = process.env;
  const env = { PATH, HOME, HOLDFAST_RUN_MARK, HOLDFAST_PARTS: JSON.stringify(sharedParts().parts), HOLDFAST_RUN_DIR: join(dir, name) };
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/bin/dev.ts'), ...args, '--json', jsonFile], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const output of [child.stdout, child.stderr]) output?.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, jsonFile, exited, printed: () => printed };
}

const readSummary = async (file: string): Promise<Summary> => JSON.parse(await readFile(file, 'utf8')) as Summary;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const everyPid = ['api', 'worker', 'media', 'media2', 'asterisk', 'temporal', 'postgres', 'redis', 'embeddedAi'];

it(
  '--once places a call, writes what happened, exits 0 and leaves nothing running',
  async () => {
    const started = start('once', ['--once']);
    const code = await started.exited;
    expect({ code, printed: started.printed() }).toMatchObject({ code: 0 });
    const summary = await readSummary(started.jsonFile);
    expect(summary).toMatchObject({
      ok: true,
      failures: [],
      call: {
        disposition: 'completed',
        timeToFirstAudioMs: expect.any(Number),
        bargeInStopMs: expect.any(Number),
        historyEvents: expect.any(Number),
        booking: { startsAt: expect.stringMatching(/^\d{4}-/) },
      },
      urls: {
        api: expect.stringMatching(/^http:/),
        docs: expect.stringMatching(/^http:/),
        temporalUi: expect.stringMatching(/^http:/),
        sip: expect.stringMatching(/^sip:/),
      },
      demo: { tenantId: expect.any(String), did: expect.stringMatching(/^\+/) },
    });
    expect(summary.calls).toHaveLength(1);
    for (const turn of summary.call.turns)
      expect(turn).toMatchObject({ caller: expect.any(String), agent: expect.any(String), latencyMs: expect.any(Number) });
    for (const file of [summary.call.recording.caller, summary.call.recording.agent]) {
      expect(parseWav(await readFile(file))).toMatchObject({ sampleRate: 16_000 });
    }
    expect(Object.keys(summary.pids).sort()).toEqual([...everyPid, 'carrier'].sort());
    expect(Object.values(summary.pids).filter(isRunning)).toEqual([]);
    // The live view and the summary block.
    expect(started.printed()).toMatch(/Caller ⟂ i would like to book/);
    expect(started.printed()).toMatch(/disposition +completed/);
  },
  TIMEOUT_MS,
);

it(
  '--no-call writes where everything is as soon as it is ready, and stops at Ctrl-C',
  async () => {
    const started = start('no-call', ['--no-call']);
    await until('the summary file is there', () => existsSync(started.jsonFile) || started.child.exitCode !== null, 60_000);
    const summary = await readSummary(started.jsonFile);
    expect(Object.keys(summary).sort()).toEqual(['demo', 'pids', 'urls']);
    expect(Object.keys(summary.pids).sort()).toEqual([...everyPid].sort());
    expect(Object.values(summary.pids).every(isRunning)).toBe(true);
    const health = await fetch(`${summary.urls['api']}/healthz`);
    expect(await health.json()).toMatchObject({ status: 'ok' });
    started.child.kill('SIGINT');
    expect(await started.exited).toBe(0);
    expect(Object.values(summary.pids).filter(isRunning)).toEqual([]);
  },
  TIMEOUT_MS,
);
