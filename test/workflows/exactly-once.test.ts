/**
 * Whatever dies, and at whatever step: a call has its turns once and in order, its side effects, its
 * usage and its disposition once, and its workflow is closed. HOLDFAST_CRASH_RUNS=200 looks longer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { AdmitRequest } from '../../src/contracts/call-workflow.ts';
import type { InboundWebhookResponse } from '../../src/contracts/telephony-webhook.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import { CallStage } from '../support/call-stage.ts';
import type { ScriptedMediaNode, ScriptedSession } from '../support/scripted-media-node.ts';
import { boundaries, WorkerAccidents, type Accident, type Boundary } from '../support/worker-accidents.ts';

const RUNS = Number(process.env['HOLDFAST_CRASH_RUNS'] ?? 8);
/** Live at once, each a few steps behind the one before: one crash strikes them all, each at another step. */
const CALLS = 6;
const BEHIND_MS = 45;
const STEP_MS = 30;
/** An answer that comes later than ten seconds is for nobody: the call is on record as missed then. */
const ANSWER_WITHIN_MS = 9_000;

let stage: CallStage;
let accidents: WorkerAccidents;
/** Pieces of data that calls exchange when nothing happens to them. */
let usual: Readonly<Record<Boundary, number>>;
let nodes: ScriptedMediaNode[] = [];

beforeAll(async () => {
  stage = await CallStage.start();
  accidents = await WorkerAccidents.prepare(stage);
  await freshNodes();
  accidents.passed();
  for (const call of await Promise.all(someCalls(false))) await expectOnce(call);
  usual = accidents.passed();
}, 90_000);
afterAll(async () => {
  for (const node of nodes) await node[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

/** The first gets the calls; the others are where they can go. */
async function freshNodes(): Promise<void> {
  for (const node of nodes) await node[Symbol.asyncDispose]();
  nodes = [];
  for (const id of ['media-a', 'media-b', 'media-c']) nodes.push(await stage.mediaNode(talk, id, accidents.tapOf('control')));
}

const lines = [
  ['agent', 'Bright Smile Dental, how can I help you?'],
  ['caller', 'i need an appointment please'],
  ['agent', 'You are booked.'],
  ['caller', 'and when are you open that day, in the afternoon'],
  ['agent', 'Until five.'],
  ['caller', 'thank you goodbye'],
  ['agent', 'Goodbye!'],
] as const;
/** Before these lines the model asks for a tool; the first has an effect. */
const tools: Readonly<Record<number, { key: string; turn: number; name: string }>> = {
  2: { key: '1:0', turn: 1, name: 'book_appointment' },
  4: { key: '2:0', turn: 2, name: 'get_opening_hours' },
};
const usage = { sttSeconds: 12.5, llmPromptTokens: 900, llmCompletionTokens: 200, ttsCharacters: 640 };

/** A talk from wherever the node before has left it. What was the last line may have been cut: it is told again, in full. */
async function talk(session: ScriptedSession): Promise<void> {
  const from = Math.max(0, session.plan.transcript.length - 1);
  session.answer();
  for (const [sequence, [speaker, text]] of lines.entries()) {
    if (sequence < from) continue;
    await sleep(STEP_MS);
    const tool = tools[sequence];
    if (tool !== undefined) await useTool(session, tool);
    if (sequence === 3) {
      // The caller barges in: the agent was heard in part only, and goes on speaking after a first pause.
      tell(session, { sequence: 2, speaker: 'agent', text: 'You are booked.', interrupted: true });
      tell(session, { sequence, speaker: 'caller', text: 'and when are you open' });
    }
    tell(session, { sequence, speaker, text, interrupted: sequence === 2 });
  }
  session.end('completed', 'end_call');
}

/** The model asks twice for the same, as after a retry of its answer. */
async function useTool(session: ScriptedSession, { key, turn, name }: { key: string; turn: number; name: string }): Promise<void> {
  const slot = slots.get(session.plan.callId);
  const event = { key, turn, index: 0, name, arguments: JSON.stringify(name === 'book_appointment' ? slot : {}) };
  session.emit({ kind: 'tool_call', ...event });
  await session.tool(event);
}

interface Line {
  readonly sequence: number;
  readonly speaker: 'agent' | 'caller';
  readonly text: string;
  readonly interrupted?: boolean;
}

function tell(session: ScriptedSession, { sequence, speaker, text, interrupted = false }: Line): void {
  const at = new Date().toISOString();
  session.emit({
    kind: 'turn',
    turn: { sequence, speaker, text, heardText: text, interrupted, startedAt: at, endedAt: at, latencies: {} },
  });
}

/** An appointment for each call that nobody else asks for, by call. */
const slots = new Map<string, { date: string; time: string; name: string }>();
const SLOTS_A_DAY = 16;

function slotFor(request: AdmitRequest): void {
  const number = slots.size;
  const day = new Date(Date.now() + 2 * 86_400_000);
  const forward = (): unknown => day.setUTCDate(day.getUTCDate() + 1);
  while (day.getUTCDay() % 6 === 0) forward();
  for (let left = Math.floor(number / SLOTS_A_DAY); left > 0; left--)
    do forward();
    while (day.getUTCDay() % 6 === 0);
  const half = number % SLOTS_A_DAY;
  const time = `${String(9 + Math.floor(half / 2)).padStart(2, '0')}:${half % 2 === 0 ? '00' : '30'}`;
  slots.set(request.callRecordId, { date: day.toISOString().slice(0, 10), time, name: 'Anna Miller' });
}

interface Placed {
  readonly request: AdmitRequest;
  /** Null: it did not come in time, and the caller heard the dialplan's fallback. */
  readonly answer: InboundWebhookResponse | null;
}

function someCalls(repeated: boolean): Promise<Placed>[] {
  return Array.from({ length: CALLS }, async (_, number) => {
    await sleep(number * BEHIND_MS);
    const request = stage.request();
    slotFor(request);
    const answers = await Promise.all([announce(request), ...(repeated ? [announce(request)] : [])]);
    await stage.outcome(request);
    // The webhook comes once more, after the call.
    if (repeated) answers.push(await announce(request));
    const [answer = null, ...others] = answers.filter((each) => each !== null);
    for (const other of others) expect(other).toEqual(answer);
    return { request, answer };
  });
}

async function announce(request: AdmitRequest): Promise<InboundWebhookResponse | null> {
  try {
    return await stage.admit(request, ANSWER_WITHIN_MS);
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'admission_timeout') return null;
    throw error;
  }
}

async function expectOnce({ request, answer }: Placed): Promise<void> {
  const { status } = await stage.handle(request).describe();
  expect(status.name).toBe('COMPLETED');
  const call = await stage.call(request);
  const outcome = await stage.outcome(request);
  if (answer === null && outcome.reason === 'admission_timeout') {
    expect(outcome).toEqual({ disposition: 'error', reason: 'admission_timeout', turnCount: 0 });
    expect(call).toMatchObject({ disposition: 'error', reason: 'admission_timeout' });
    expect(await stage.bookings(request)).toEqual([]);
    return;
  }
  if (answer !== null) expect(answer.status).toBe('accepted');
  expect(outcome).toEqual({ disposition: 'completed', reason: 'end_call', turnCount: lines.length });
  expect(call).toMatchObject({ status: 'completed', disposition: 'completed', reason: 'end_call', usage });
  const told = (await stage.turns(request)).map(({ sequence, speaker, text }) => [sequence, speaker, text]);
  expect(told).toEqual(lines.map(([speaker, text], sequence) => [sequence, speaker, text]));
  expect(await stage.bookings(request)).toHaveLength(1);
  expect(await stage.toolRuns(request)).toEqual([
    { key: '1:0', status: 'succeeded' },
    { key: '2:0', status: 'succeeded' },
  ]);
}

/** What becomes of the node that has the calls, while the worker has its accidents. */
const fates = ['stays', 'dies', 'leaves'] as const;

async function meet(fate: (typeof fates)[number], afterMs: number): Promise<void> {
  await sleep(afterMs);
  const [first] = nodes;
  if (fate === 'dies') await first?.[Symbol.asyncDispose]();
  if (fate === 'leaves') for (const session of first?.sessions.values() ?? []) session.askForHandover();
}

const accident = fc.record({ where: fc.constantFrom(...boundaries), part: fc.double({ min: 0, max: 1, noNaN: true }) });
const misfortune = fc.record({
  strokes: fc.array(accident, { minLength: 1, maxLength: 2 }),
  fate: fc.constantFrom(...fates),
  afterMs: fc.integer({ min: 0, max: 900 }),
  repeated: fc.boolean(),
});

test(
  'a call happens once, wherever its worker crashes and whatever becomes of its media node',
  async () => {
    await fc.assert(
      fc.asyncProperty(misfortune, async ({ strokes, fate, afterMs, repeated }) => {
        await freshNodes();
        const at = ({ where, part }: (typeof strokes)[number]): Accident => ({ where, at: 1 + Math.floor(part * usual[where]) });
        const calls = someCalls(repeated);
        const met = meet(fate, afterMs);
        const placed = await accidents.during(strokes.map(at), Promise.all(calls));
        await met;
        for (const call of placed) await expectOnce(call);
      }),
      // A smaller misfortune is not easier to understand, and each try takes seconds.
      { numRuns: RUNS, endOnFailure: true },
    );
    // What comes after the calls' last step strikes nobody.
    expect(accidents.count).toBeGreaterThanOrEqual(RUNS / 2);
  },
  60_000 + RUNS * 30_000,
);
