/** The PBX dies, hangs, or cannot be heard for a while, with live calls in it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from '../../setup/demo/script-steps.ts';
import { freePort } from '../../setup/stack/ports.ts';
import { INBOUND_WEBHOOK_PATH } from '../../src/contracts/telephony-webhook.ts';
import type { CallDetailView } from '../../src/contracts/rest-calls.ts';
import { phraseText } from '../../src/media/phrases.ts';
import { startAriGate, type AriGate } from '../support/ari-gate.ts';
import { startCallStack, type CallStack, type DialOptions, type Dialled } from '../support/call-stack.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { ARI_USER, startTestPbx, until, WEBHOOK_SECRET, type TestPbx } from '../support/pbx.ts';

const TIMEOUT_MS = 120_000;
/** What is promised: the calls of a PBX that is lost are closed by then. */
const CLOSED_WITHIN_MS = 5_000;
const HOURS = 'what are your opening hours';
const BYE = 'no that is everything thank you goodbye';

let running: TestPbx;
let gate: AriGate;
let calls: CallStack;
let pids: Record<string, number>;

beforeAll(async () => {
  const apiPort = await freePort();
  running = await startTestPbx(`http://127.0.0.1:${apiPort}${INBOUND_WEBHOOK_PATH}`);
  gate = await startAriGate({ host: '127.0.0.1', port: running.options.httpPort });
  calls = await startCallStack({
    external: { ari: { url: gate.url, ...ARI_USER, sip: `127.0.0.1:${running.options.sipPort}` } },
    settings: { API_PORT: String(apiPort), TELEPHONY_WEBHOOK_SECRET: WEBHOOK_SECRET, SILENCE_REMINDER_SECONDS: '60' },
  });
  pids = calls.stack.pids();
}, TIMEOUT_MS);
afterAll(async () => {
  await calls?.[Symbol.asyncDispose]();
  await gate?.[Symbol.asyncDispose]();
  await running?.[Symbol.asyncDispose]();
}, TIMEOUT_MS);

const greeting: Step = { do: 'hear', what: 'a greeting', expect: /help/i };
const hours: Step = { do: 'hear', what: 'the opening hours', expect: /monday|nine/i };

interface LiveCall {
  readonly dialled: Promise<Dialled>;
  /** The caller has come to this `wait`; they go on when `go` is called. */
  readonly waits: Promise<void>;
  go(): void;
}

/** A call whose script has one `wait`. */
function dial(script: readonly Step[], more: Partial<DialOptions> = {}): LiveCall {
  const [waiting, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const onWait = (): Promise<void> => {
    waiting.resolve();
    return going.promise;
  };
  return { dialled: calls.dial({ script, onWait, ...more }), waits: waiting.promise, go: going.resolve };
}

const wait: Step = { do: 'wait', name: 'the fault' };

async function open(): Promise<CallDetailView[]> {
  const { items } = await calls.api<{ items: CallDetailView[] }>('GET', `/tenants/${calls.stack.demo.tenantId}/calls`);
  return items;
}

/** Three calls, one of them in the middle of its greeting, and `fault` happens to the PBX under them. */
async function loseThree(fault: () => void): Promise<void> {
  const known = new Set((await open()).map((call) => call.id));
  const quiet = dial([greeting, wait, { do: 'hangup' }]);
  const talking = dial([greeting, { do: 'say', text: HOURS }, wait, { do: 'hangup' }]);
  await Promise.all([quiet.waits, talking.waits]);
  const answered = Promise.withResolvers<void>();
  const greeted = dial([wait, { do: 'hangup' }], { onMoment: ({ kind }) => kind === 'agent_on' && answered.resolve() });
  await answered.promise;
  fault();
  const lost = async (): Promise<CallDetailView[]> => (await open()).filter((call) => !known.has(call.id) && call.disposition !== null);
  await until('all three are closed', async () => (await lost()).length === 3, CLOSED_WITHIN_MS);
  for (const call of await lost()) expect(call).toMatchObject({ status: 'failed', disposition: 'error', reason: 'pbx_lost' });
  for (const call of [quiet, talking, greeted]) call.go();
  await Promise.all([quiet, talking, greeted].map((call) => call.dialled));
}

async function expectRecovered(): Promise<void> {
  const dialled = await calls.dial({ script: [greeting, { do: 'hangup' }] });
  expect(dialled.failure).toBeNull();
  expect(await dialled.record()).toMatchObject({ status: 'completed' });
  // Nothing had to be started again for it.
  expect(calls.stack.pids()).toMatchObject(pids);
}

it(
  'closes the calls of a PBX that is killed, with the cause, and serves the next caller when it is back',
  async () => {
    await loseThree(() => process.kill(running.pbx.pid, 'SIGKILL'));
    await running.restart();
    await expectRecovered();
  },
  TIMEOUT_MS,
);

it(
  'does the same for one that hangs, and leaves nobody in it when it wakes up',
  async () => {
    await loseThree(() => process.kill(running.pbx.pid, 'SIGSTOP'));
    process.kill(running.pbx.pid, 'SIGCONT');
    await assertNothingLeft(calls);
    await expectRecovered();
  },
  TIMEOUT_MS,
);

it(
  'goes on with a call whose media socket is cut, in the middle of a sentence or in silence',
  async () => {
    const speaking = Promise.withResolvers<void>();
    let utterances = 0;
    const script: Step[] = [greeting, { do: 'say', text: HOURS }, hours, wait, { do: 'say', text: HOURS }, hours, { do: 'say', text: BYE }];
    const call = dial([...script, { do: 'await_hangup' }], {
      onMoment: ({ kind }) => {
        if (kind === 'agent_on' && ++utterances === 2) speaking.resolve();
      },
    });
    await speaking.promise;
    await sleep(1_200);
    gate.cut('media');
    await call.waits;
    gate.cut('media');
    call.go();
    const dialled = await call.dialled;
    expect(dialled.failure).toBeNull();
    const record = await dialled.record();
    expect(record).toMatchObject({ status: 'completed', disposition: 'completed' });
    expectWhole(dialled, record);
  },
  TIMEOUT_MS,
);

it(
  'talks on while neither events nor commands of the PBX get through, and makes up for all of it afterwards',
  async () => {
    const talking = dial([
      greeting,
      wait,
      { do: 'say', text: HOURS },
      hours,
      { do: 'silence', forMs: 6_000 },
      { do: 'say', text: HOURS },
      hours,
      { do: 'hangup' },
    ]);
    const leaving = dial([greeting, { do: 'say', text: HOURS }, hours, wait, { do: 'hangup' }]);
    const ending = dial([greeting, wait, { do: 'say', text: BYE }, { do: 'await_hangup', timeoutMs: 30_000 }]);
    await Promise.all([talking.waits, leaving.waits, ending.waits]);
    gate.shut('events', 'commands');
    const shutAtMs = Date.now();
    for (const call of [talking, leaving, ending]) call.go();
    const left = await leaving.dialled;
    await sleep(shutAtMs + 10_000 - Date.now());
    gate.open();
    const openedAtMs = Date.now();
    // Nobody was told of the hang-up: it is found out.
    expect(await left.record()).toMatchObject({ disposition: 'caller_hangup', reason: 'hangup' });
    expect(Date.now() - openedAtMs).toBeLessThan(CLOSED_WITHIN_MS);
    const [talked, ended] = await Promise.all([talking.dialled, ending.dialled]);
    expect([talked.failure, ended.failure, left.failure]).toEqual([null, null, null]);
    expect(await talked.record()).toMatchObject({ disposition: 'caller_hangup' });
    expect(await ended.record()).toMatchObject({ disposition: 'completed' });
    for (const dialled of [talked, ended, left]) expectWhole(dialled, await dialled.record());
  },
  TIMEOUT_MS,
);

it(
  'leaves nothing behind, and everything runs as it was started',
  async () => {
    await assertNothingLeft(calls);
    expect(calls.stack.pids()).toMatchObject(pids);
  },
  TIMEOUT_MS,
);

function expectWhole({ said }: Dialled, { turns }: CallDetailView): void {
  expect(turns.map((turn) => turn.sequence)).toEqual(turns.map((_, index) => index));
  expect(turns.filter((turn) => turn.speaker === 'caller')).toHaveLength(said.length);
  expect(turns.map((turn) => turn.text)).not.toContain(phraseText.error_goodbye);
}
