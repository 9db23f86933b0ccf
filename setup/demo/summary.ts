/** From what was recorded, measured and stored to the summary of one call (docs/summary-json.md). Pure. */
import type { BookingView, CallDetailView } from '../../src/contracts/rest-calls.ts';
import type { CallMeasures, CallerUtterance } from './analyse.ts';

export interface SummaryTurn {
  /** What Holdfast understood. */
  readonly caller: string;
  /** What the agent answered, as far as the caller heard it. */
  readonly agent: string;
  /** The caller cut the answer off. */
  readonly interrupted: boolean;
  /** Caller's last speech energy → agent's first, in the recording; null when the turn could not be matched to it. */
  readonly latencyMs: number | null;
}

export interface CallSummary {
  readonly callId: string;
  readonly workflowId: string;
  readonly status: string;
  readonly disposition: string | null;
  readonly reason: string | null;
  readonly startedAt: string;
  readonly answeredAt: string | null;
  readonly endedAt: string | null;
  readonly durationMs: number;
  readonly greeting: string | null;
  readonly turns: readonly SummaryTurn[];
  readonly timeToFirstAudioMs: number | null;
  readonly turnLatencyMs: { readonly p50: number | null; readonly max: number | null };
  readonly bargeInStopMs: number | null;
  readonly longestSilenceMs: number;
  readonly historyEvents: number | null;
  /** The first that this call made. */
  readonly booking: { readonly id: string; readonly startsAt: string; readonly customerName: string | null } | null;
  readonly recording: { readonly caller: string; readonly agent: string; readonly stereo: string };
  readonly script: { readonly passed: boolean; readonly failure: string | null };
}

export interface SummaryInput {
  readonly workflowId: string;
  readonly call: CallDetailView;
  readonly historyEvents: number | null;
  readonly measures: CallMeasures;
  /** Wall clock at which the recordings begin. */
  readonly recordedFromMs: number;
  readonly recording: CallSummary['recording'];
  readonly failure: string | null;
}

/** A stored turn and a recorded utterance that end this close to each other are the same one. */
const SAME_UTTERANCE_MS = 1_500;

export function summarise(input: SummaryInput): CallSummary {
  const { call, measures } = input;
  const turns = pairTurns(input);
  const latencies = turns.map((turn) => turn.latencyMs).filter((value) => value !== null);
  const stops = measures.utterances.map((each) => each.bargeInStopMs).filter((value) => typeof value === 'number');
  const first = inOrder(call.turns)[0];
  return {
    callId: call.id,
    workflowId: input.workflowId,
    status: call.status,
    disposition: call.disposition,
    reason: call.reason,
    startedAt: call.started_at,
    answeredAt: call.answered_at,
    endedAt: call.ended_at,
    durationMs: Math.round(measures.durationMs),
    greeting: first?.speaker === 'agent' ? first.heard_text : null,
    turns,
    timeToFirstAudioMs: measures.timeToFirstAudioMs,
    turnLatencyMs: { p50: percentile(latencies, 0.5), max: percentile(latencies, 1) },
    bargeInStopMs: stops[0] ?? null,
    longestSilenceMs: measures.longestSilenceMs,
    historyEvents: input.historyEvents,
    booking: bookingOf(call.bookings[0]),
    recording: input.recording,
    script: { passed: input.failure === null, failure: input.failure },
  };
}

const inOrder = (turns: CallDetailView['turns']): CallDetailView['turns'] => [...turns].sort((a, b) => a.sequence - b.sequence);

function bookingOf(booking: BookingView | undefined): CallSummary['booking'] {
  return booking === undefined ? null : { id: booking.id, startsAt: booking.starts_at, customerName: booking.customer_name };
}

function pairTurns({ call, measures, recordedFromMs }: SummaryInput): SummaryTurn[] {
  const paired: SummaryTurn[] = [];
  const ordered = inOrder(call.turns);
  const free = new Set(measures.utterances);
  ordered.forEach((turn, i) => {
    if (turn.speaker !== 'caller') return;
    const rest = ordered.slice(i + 1);
    const next = rest.findIndex((each) => each.speaker === 'caller');
    const answers = next < 0 ? rest : rest.slice(0, next);
    const utterance = nearest(free, Date.parse(turn.ended_at) - recordedFromMs);
    if (utterance !== undefined) free.delete(utterance);
    paired.push({
      caller: turn.text,
      agent: answers
        .map((each) => each.heard_text)
        .join(' ')
        .trim(),
      interrupted: answers.some((each) => each.interrupted),
      latencyMs: utterance?.latencyMs ?? null,
    });
  });
  return paired;
}

function nearest(utterances: ReadonlySet<CallerUtterance>, endMs: number): CallerUtterance | undefined {
  const distance = (each: CallerUtterance): number => Math.abs(each.endMs - endMs);
  const [closest] = [...utterances].sort((a, b) => distance(a) - distance(b));
  return closest !== undefined && distance(closest) <= SAME_UTTERANCE_MS ? closest : undefined;
}

/** Nearest rank; null of nothing. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
