/** What an operator reads about a call in Temporal's UI. Pure: Markdown from what the workflow knows. */
import type { CallState, Disposition } from '../domain/call.ts';
import type { SteerCommand } from '../domain/steering.ts';
import type { TurnRecord } from '../contracts/turn.ts';

/** Turns kept for reading: a usual call in full. The whole talk of any call is in PostgreSQL. */
const SHOWN_TURNS = 40;
const SHOWN_CHARACTERS = 240;

export interface CallView {
  readonly callId: string;
  readonly state: CallState;
  readonly tenantId: string | null;
  readonly mediaNode: string | null;
  /** Counts the media nodes that have held the call; 0 before the first one. */
  readonly epoch: number;
  /** ISO 8601. */
  readonly arrivedAt: string;
  readonly answeredAt: string | null;
  readonly endedAt: string | null;
  readonly disposition: Disposition | null;
  readonly reason: string | null;
  readonly hangupReason: string | null;
  /** What else operators asked for, oldest first. */
  readonly wishes: readonly SteerCommand[];
  /** Utterances of both sides so far, counting those no longer shown. */
  readonly turnCount: number;
  readonly turns: readonly TurnRecord[];
}

export function newCallView(call: { callRecordId: string; arrivedAt: string }): CallView {
  return {
    callId: call.callRecordId,
    state: 'admitted',
    tenantId: null,
    mediaNode: null,
    epoch: 0,
    arrivedAt: call.arrivedAt,
    answeredAt: null,
    endedAt: null,
    disposition: null,
    reason: null,
    hangupReason: null,
    wishes: [],
    turnCount: 0,
    turns: [],
  };
}

/** Adds turns by sequence: a batch that comes twice changes nothing, a late one finds its place. */
export function withTurns(view: CallView, turns: readonly TurnRecord[]): CallView {
  const bySequence = new Map([...view.turns, ...turns].map((turn) => [turn.sequence, turn]));
  const ordered = [...bySequence.values()].sort((a, b) => a.sequence - b.sequence);
  const last = ordered.at(-1);
  return { ...view, turns: ordered.slice(-SHOWN_TURNS), turnCount: Math.max(view.turnCount, last === undefined ? 0 : last.sequence + 1) };
}

export function callDetails(view: CallView): string {
  const lines = [`### ${headline(view)}`, '', ...facts(view)];
  if (view.turns.length > 0) {
    lines.push('', '| | time | who | what | waited |', '|--:|---|---|---|--:|', ...view.turns.map(turnRow));
    const hidden = view.turnCount - view.turns.length;
    if (hidden > 0) lines.push('', `_${hidden} earlier ${hidden === 1 ? 'utterance' : 'utterances'} not shown._`);
  }
  return lines.join('\n');
}

function headline(view: CallView): string {
  if (view.disposition !== null) return `Ended: ${words(view.disposition)}${view.reason === null ? '' : ` (${words(view.reason)})`}`;
  if (view.hangupReason !== null) return 'Being hung up by an operator';
  return `Live: ${view.state}`;
}

function facts(view: CallView): string[] {
  return [
    `- **Call** \`${view.callId}\``,
    ...(view.tenantId === null ? [] : [`- **Tenant** \`${view.tenantId}\``]),
    ...(view.mediaNode === null
      ? []
      : [`- **Media node** ${view.mediaNode}${view.epoch > 1 ? ` (epoch ${view.epoch}: taken over ${times(view.epoch - 1)})` : ''}`]),
    `- **Arrived** ${time(view.arrivedAt)}`,
    ...(view.answeredAt === null ? [] : [`- **Answered** ${time(view.answeredAt)}`]),
    ...(view.endedAt === null ? [] : [`- **Ended** ${time(view.endedAt)}`]),
    ...(view.hangupReason === null ? [] : [`- **Hang-up asked for** ${cell(view.hangupReason)}`]),
    ...view.wishes.map((wish) => `- **Operator** ${wish.kind === 'say' ? `says: ${cell(wish.text)}` : `transfers to ${cell(wish.to)}`}`),
    `- **Utterances** ${view.turnCount}`,
  ];
}

function turnRow(turn: TurnRecord): string {
  const cut = turn.interrupted ? ' _(interrupted)_' : '';
  const waited = turn.latencies.responseMs === undefined ? '' : `${Math.round(turn.latencies.responseMs)} ms`;
  return `| ${turn.sequence + 1} | ${turn.startedAt.slice(11, 19)} | ${turn.speaker} | ${cell(turn.heardText)}${cut} | ${waited} |`;
}

/** 2026-11-21T10:15:30.000Z → 2026-11-21 10:15:30 UTC */
function time(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function words(code: string): string {
  return code.replaceAll('_', ' ');
}

/** Speech is a stranger's text: it must not break the table, nor become a link or markup in the operator's browser. */
function cell(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  const short = flat.length > SHOWN_CHARACTERS ? `${flat.slice(0, SHOWN_CHARACTERS - 1)}…` : flat;
  return short.replace(/[\\`*_{}[\]<>()#|~!&]/g, (character) => `\\${character}`);
}
