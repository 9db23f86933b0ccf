/** What the evidence says about one call. Pure. */
import type { Segment } from '../../setup/demo/hear.ts';
import type { Evidence } from './evidence.ts';
import type { ArrivalOutcome } from './fault.ts';
import { agentSpeaksAt, gapAt, gapsBetween, lengthMs, type Heard } from './gap.ts';
import { isWish, lines, recalls } from './persona.ts';

export interface Circumstances {
  readonly struckAtMs: number;
  readonly timeZone: string;
  /** The fault was to hit this call. */
  readonly hit: boolean;
  readonly endsCalls: boolean;
  readonly arrivalsAre: ArrivalOutcome;
  /** Of a fault that strikes several times: when it was over. */
  readonly strikesUntilMs: number | null;
}

export interface Verdict {
  readonly phase: Evidence['run']['phase'];
  readonly hit: boolean;
  /** The line ended before the caller and the agent had said goodbye. */
  readonly dropped: boolean;
  /** The booking and the agent's own words carry the name and the day that were said. */
  readonly memoryKept: boolean;
  /** The agent was heard at the moment of the fault. */
  readonly agentWasSpeaking: boolean;
  readonly gapMs: number | null;
  /** Where the gap lies, in milliseconds since the fault. */
  readonly gap: { readonly fromMs: number; readonly toMs: number } | null;
  /** Silences amid the agent's words that anybody would notice, where the fault strikes several times. */
  readonly gapsNoticed: number;
  readonly turnsLost: number;
  readonly doubled: number;
  readonly dispositionNotOne: boolean;
  readonly closedAfterMs: number | null;
  readonly historyEvents: number;
  /** What is wrong, one sentence each; empty when nothing is. */
  readonly notes: readonly string[];
}

export function verdictOf(evidence: Evidence, around: Circumstances): Verdict {
  const { run } = evidence;
  const heard = { agent: evidence.agent, caller: evidence.caller };
  const common = {
    phase: run.phase,
    hit: around.hit,
    agentWasSpeaking: agentSpeaksAt(heard, around.struckAtMs),
    closedAfterMs: closedAfterMs(evidence, around),
    historyEvents: evidence.historyEvents,
  };
  const disposition = dispositionNotes(evidence);
  if (run.phase === 'arriving' && around.arrivalsAre === 'apology') {
    // Nobody talked: there is nothing to remember, to lose or to double.
    const apology = spokenMs(evidence) >= APOLOGY_MS ? [] : ['nobody apologised'];
    const notes = [...apology, ...disposition];
    return { ...common, ...nothingSaid, dropped: apology.length > 0, memoryKept: true, dispositionNotOne: disposition.length > 0, notes };
  }
  const dropped = run.failure !== null || (evidence.record?.disposition ?? '') !== 'completed';
  const lost = around.endsCalls ? [] : lostTurns(evidence, around.struckAtMs);
  const doubles = doublesIn(evidence);
  const gap = around.hit && run.phase !== 'arriving' ? gapAt(heard, around.struckAtMs) : null;
  const memory = memoryNotes(evidence, around.timeZone);
  const noticed = gapsNoticed(heard, around);
  const line = dropped ? [run.failure ?? `the call ended as ${evidence.record?.disposition ?? 'nothing'}`] : [];
  return {
    ...common,
    dropped,
    memoryKept: memory.length === 0,
    gapMs: gap === null ? null : lengthMs(gap),
    gap: gap === null ? null : { fromMs: gap.startMs - around.struckAtMs, toMs: gap.endMs - around.struckAtMs },
    gapsNoticed: noticed.length,
    turnsLost: lost.length,
    doubled: doubles.length,
    dispositionNotOne: disposition.length > 0,
    notes: around.endsCalls
      ? [...closingNotes(common.closedAfterMs), ...doubles, ...disposition]
      : [...line, ...silenceNotes(noticed, around), ...memory, ...lost, ...doubles, ...disposition],
  };
}

/** A tool that the suite has made slow around the first strike is a silence of its own. */
const SLOW_TOOL_MS = 1_000;

function gapsNoticed(heard: Heard, { struckAtMs, strikesUntilMs }: Circumstances): readonly Segment[] {
  return strikesUntilMs === null ? [] : gapsBetween(heard, struckAtMs + SLOW_TOOL_MS, strikesUntilMs);
}

function silenceNotes(gaps: readonly Segment[], { struckAtMs }: Circumstances): string[] {
  if (gaps.length <= 1) return [];
  const each = gaps.map((gap) => `${Math.round(lengthMs(gap))} ms at ${Math.round(gap.startMs - struckAtMs)} ms`);
  return [`${gaps.length} gaps were to be noticed: ${each.join(', ')}`];
}

/** The PBX's own sentence is longer. */
const APOLOGY_MS = 1_000;
/** A call that the PBX took along must be closed by then. */
export const CLOSED_WITHIN_MS = 5_000;

const spokenMs = ({ agent }: Evidence): number => agent.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);

/** After the end of the line; where the fault is that end, after the fault, for a dead line says nothing. */
function closedAfterMs({ closedAtMs, endedAtMs }: Evidence, { endsCalls, struckAtMs }: Circumstances): number | null {
  const endMs = endsCalls ? struckAtMs : endedAtMs;
  return closedAtMs === null || endMs === null ? null : closedAtMs - endMs;
}

function closingNotes(afterMs: number | null): string[] {
  if (afterMs === null) return [];
  return afterMs <= CLOSED_WITHIN_MS ? [] : [`the workflow was closed ${Math.round(afterMs)} ms after the fault`];
}

const nothingSaid = { gapMs: null, gap: null, gapsNoticed: 0, turnsLost: 0, doubled: 0 } as const;

function dispositionNotes({ record, records, workflow }: Evidence): string[] {
  if (record === null) return ['there is no record of the call'];
  return [
    ...(record.disposition === null ? ['the call has no disposition'] : []),
    ...(records === 1 ? [] : [`the call has ${records} records`]),
    ...(workflow === 'COMPLETED' ? [] : [`the workflow is ${workflow ?? 'missing'}`]),
  ];
}

function memoryNotes({ record, run, sentences }: Evidence, timeZone: string): string[] {
  const booked = (record?.bookings ?? []).map((each) => ({ startsAt: new Date(each.starts_at), name: each.customer_name }));
  const inDiary = booked.some((booking) => isWish(run.who, booking, timeZone));
  const inWords = sentences.some(({ text }) => recalls(run.who, text));
  return [
    ...(inDiary ? [] : [booked.length === 0 ? 'nothing was booked' : 'what was booked is not what the caller said before']),
    ...(inWords ? [] : ['the agent did not say name and day back']),
  ];
}

/** Lines said once the script went past them, sentences heard, and numbers in the sequence that no row has. */
function lostTurns({ record, run, sentences }: Evidence, struckAtMs: number): string[] {
  const turns = [...(record?.turns ?? [])].sort((a, b) => a.sequence - b.sequence);
  const callerText = turns.filter((turn) => turn.speaker === 'caller').map((turn) => plain(turn.text));
  const agentText = turns.filter((turn) => turn.speaker === 'agent').map((turn) => plain(turn.heard_text));
  const said = [...new Set((run.result?.said ?? []).map(({ text }) => text))];
  const answered = said.filter((_, i) => i < said.length - 1 || run.failure === null);
  const holes = turns.flatMap((turn, i) => (turn.sequence === i ? [] : [`turn ${i} is missing before ${turn.sequence}`]));
  return [
    ...answered
      .filter((text) => !callerText.some((row) => row.includes(plain(text))))
      .map((text) => `no turn holds the caller's line "${text}"`),
    ...sentences
      // What follows on a line that was dropped are the PBX's own prompts.
      .filter(({ atMs }) => atMs < struckAtMs || record?.disposition === 'completed')
      .filter(({ text }) => !agentText.some((row) => row.includes(plain(text))))
      .map(({ text, atMs }) => `no turn holds the agent's "${text}" (${Math.round(atMs - struckAtMs)} ms after the fault)`),
    ...holes.slice(0, 1),
  ];
}

function doublesIn({ record, run }: Evidence): string[] {
  const said = run.result?.said ?? [];
  const callerText = (record?.turns ?? []).filter((turn) => turn.speaker === 'caller').map((turn) => plain(turn.text));
  const spoken = [lines.wish(run.who), lines.hour(run.who), lines.goodbye];
  const twice = spoken.filter((line) => count(callerText.join(' | '), plain(line)) > said.filter(({ text }) => text === line).length);
  const bookings = record?.bookings.length ?? 0;
  const effects = (record?.tool_runs ?? []).filter((each) => each.name === 'book_appointment' && each.result?.['booked'] === true).length;
  return [
    ...(bookings > 1 ? [`${bookings} bookings`] : []),
    ...(effects > 1 ? [`book_appointment took effect ${effects} times`] : []),
    ...twice.map((line) => `the caller's line "${line}" is on record more often than it was said`),
  ];
}

/** As it is written and as it is spoken: "9 AM" is "9 a m" in the mouth of the voice. */
const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/\b([ap]) m\b/g, '$1m')
    .replace(/[^a-z0-9:' ]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

const count = (text: string, part: string): number => text.split(part).length - 1;
