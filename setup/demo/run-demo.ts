/** Places the demo's calls, shows the conversation live, and sums up what was measured and stored. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { workflowIdFor } from '../../src/contracts/call-workflow.ts';
import type { CallDetailView } from '../../src/contracts/rest-calls.ts';
import { analyse } from './analyse.ts';
import { callAndTalk, type CallerResult } from './caller.ts';
import { callerNumbers } from './caller-numbers.ts';
import type { Carrier } from './carrier.ts';
import { demoScript, fulfils, wishOf, type Wish } from './demo-script.ts';
import { connectHistory, type History } from './history.ts';
import { liveView } from './live-view.ts';
import { records, type Placed, type Records } from './records.ts';
import { summarise, type CallSummary } from './summary.ts';
import { formatWav, parseWav } from './wav.ts';

export interface DemoTarget {
  /** http://host:port */
  readonly apiUrl: string;
  readonly demo: { readonly tenantId: string; readonly did: string };
  readonly temporal: { readonly address: string; readonly namespace: string };
}

export interface DemoOptions {
  readonly carrier: Carrier;
  readonly target: DemoTarget;
  /** Placed at once. Default 1. */
  readonly calls?: number;
  /** Which wish the first caller has, when there were calls before. Default 0. */
  readonly firstWish?: number;
  /** One line of the live view. */
  readonly print?: (line: string) => void;
  readonly colour?: boolean;
}

export interface DemoResult {
  /** Every call completed and every expectation of its script held. */
  readonly ok: boolean;
  /** The first call; null when it left no record. */
  readonly call: CallSummary | null;
  readonly calls: readonly CallSummary[];
  readonly failures: readonly string[];
}

/** As fast as a trunk delivers them: twenty calls in a second. */
const CALL_SPACING_MS = 50;
/** People who call at the same moment do not speak in unison: each thinks a little longer before the first words. */
const THINKING_MS = 300;
const LONGEST_THOUGHT_MS = 6_000;

type Context = Required<DemoOptions> & { readonly records: Records; readonly history: History };

export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { target, calls = 1, firstWish = 0, print = () => undefined, colour = false } = options;
  await using history = await connectHistory(target.temporal);
  const context: Context = {
    ...options,
    calls,
    firstWish,
    print,
    colour,
    history,
    records: records({ apiUrl: target.apiUrl, tenantId: target.demo.tenantId }),
  };
  const callers = callerNumbers(calls);
  const outcomes = await Promise.all(
    callers.map(async (callerNumber, n) => {
      await sleep(n * CALL_SPACING_MS);
      return oneCall(context, callerNumber, n).catch((error: unknown) => ({
        summary: null,
        failure: error instanceof Error ? error.message : String(error),
      }));
    }),
  );
  const summaries = outcomes.map((outcome) => outcome.summary).filter((summary) => summary !== null);
  const failures = outcomes.flatMap((outcome, n) =>
    outcome.failure === null ? [] : [calls === 1 ? outcome.failure : `call ${n + 1}: ${outcome.failure}`],
  );
  return { ok: failures.length === 0, call: outcomes[0]?.summary ?? null, calls: summaries, failures };
}

interface Outcome {
  readonly summary: CallSummary | null;
  readonly failure: string | null;
}

async function oneCall(context: Context, callerNumber: string, n: number): Promise<Outcome> {
  const { carrier, target, print, calls } = context;
  const wish = wishOf(context.firstWish + n);
  const placed: Placed = { callerNumber, sinceMs: Date.now() };
  const view = calls === 1 ? liveView({ calling: target.demo.did, print, colour: context.colour }) : undefined;
  const result = await callAndTalk({
    carrier,
    to: target.demo.did,
    from: callerNumber,
    script: demoScript(wish, (n * THINKING_MS) % LONGEST_THOUGHT_MS),
    words: (onWords) => {
      const source = context.records.wordsOf(placed, (words) => {
        view?.words(words);
        onWords(words);
      });
      view?.watch(source);
      return source;
    },
    onMoment: (moment) => view?.moment(moment),
  });
  view?.end();
  const outcome = result.answered ? await sumUp(context, { result, placed, wish }) : { summary: null, failure: result.failure };
  if (calls > 1)
    print(
      `  call ${String(n + 1).padStart(3)}  ${outcome.failure ?? `${outcome.summary?.disposition} in ${outcome.summary?.turns.length} turns`}`,
    );
  return outcome;
}

interface Talked {
  readonly result: CallerResult;
  readonly placed: Placed;
  readonly wish: Wish;
}

async function sumUp(context: Context, { result, placed, wish }: Talked): Promise<Outcome> {
  const stored = await context.records.finished(placed);
  const recording = await result.call.recording();
  if (recording === null) throw new Error('the call was not recorded');
  const [caller, agent] = [parseWav(await readFile(recording.caller)), parseWav(await readFile(recording.agent))];
  const stereo = join(dirname(recording.agent), 'call.wav');
  await writeFile(stereo, formatWav(agent.sampleRate, [caller.pcm, agent.pcm]));
  const workflowId = workflowIdFor(stored.id);
  const failure = result.failure ?? unexpectedEnd(stored, wish, await context.records.timeZone());
  const answeredAtMs = result.call.answeredAtMs ?? 0;
  const talkedMs = (await result.call.ended).atMs - answeredAtMs;
  // A machine under load lets the first frame wait; that time is the caller's too.
  const beginMs = Math.max(0, Math.round(talkedMs - (agent.pcm.length * 1_000) / agent.sampleRate));
  const summary = summarise({
    workflowId,
    call: stored,
    historyEvents: await context.history.eventsOf(workflowId),
    measures: analyse({ sampleRate: agent.sampleRate, caller: caller.pcm, agent: agent.pcm, beginMs }),
    recordedFromMs: answeredAtMs + beginMs,
    recording: { ...recording, stereo },
    failure,
  });
  return { summary, failure };
}

function unexpectedEnd(call: CallDetailView, wish: Wish, timeZone: string): string | null {
  if (call.disposition !== 'completed') return `the call ended as ${call.disposition}`;
  const [booking] = call.bookings;
  if (booking === undefined) return 'no booking was stored';
  const asked = `${wish.day} at ${wish.clock}`;
  return fulfils(wish, new Date(booking.starts_at), timeZone)
    ? null
    : `the caller asked for ${asked}, booked was ${booking.starts_at} (${timeZone})`;
}
