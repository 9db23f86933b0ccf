import type { CallDetailView } from '../../src/contracts/rest-calls.ts';
import type { Evidence } from './evidence.ts';
import { lines, persona } from './persona.ts';
import { isClean, reportOf } from './report.ts';
import { verdictOf, type Circumstances } from './verdict.ts';

const who = persona(1);
const booked = 'I have put you down for Tuesday, November 24 at 9 a m, under the name Anna Miller.';
const around: Circumstances = {
  struckAtMs: 10_000,
  timeZone: 'America/New_York',
  hit: true,
  endsCalls: false,
  arrivalsAre: 'served',
  strikesUntilMs: null,
};

interface Change {
  readonly turns?: readonly (readonly ['agent' | 'caller', string])[];
  readonly bookings?: readonly { starts_at: string; customer_name: string }[];
  readonly record?: Partial<CallDetailView>;
  readonly evidence?: Partial<Evidence>;
  readonly failure?: string;
}

const talk = [
  ['agent', 'Thank you for calling. How can I help you today?'],
  ['caller', lines.wish(who)],
  ['agent', 'On Tuesday, November 24 I have 9 AM, 10 AM and 11:30 AM. What time would you like?'],
  ['caller', lines.hour(who)],
  ['agent', 'You are booked. I have put you down for Tuesday, November 24 at 9 AM, under the name Anna Miller. Anything else?'],
  ['caller', lines.goodbye],
  ['agent', 'Thank you for calling. Goodbye!'],
] as const;

function evidence({ turns = talk, bookings, record, evidence: more, failure }: Change = {}): Evidence {
  const said = [lines.wish(who), lines.hour(who), lines.goodbye].map((text, i) => ({ text, atMs: i * 5_000, interrupting: false }));
  return {
    run: {
      who,
      phase: 'tool running',
      from: '+12125550100',
      placedAtMs: 0,
      result: { said } as unknown as Evidence['run']['result'],
      failure: failure ?? null,
    },
    record: {
      disposition: 'completed',
      turns: turns.map(([speaker, text], sequence) => ({ sequence, speaker, text, heard_text: text })),
      bookings: bookings ?? [{ starts_at: '2026-11-24T14:00:00Z', customer_name: 'Anna Miller' }],
      tool_runs: [{ name: 'book_appointment', result: { booked: true } }],
      ...record,
    } as unknown as CallDetailView,
    records: 1,
    workflow: 'COMPLETED',
    closedAtMs: 12_400,
    endedAtMs: 12_000,
    historyEvents: 24,
    agent: [],
    caller: [],
    sentences: [{ text: booked, atMs: 12_000 }],
    ...more,
  };
}

test('a call that went as it should has nothing against it', () => {
  const verdict = verdictOf(evidence(), around);
  expect(verdict).toMatchObject({ dropped: false, memoryKept: true, turnsLost: 0, doubled: 0, dispositionNotOne: false, notes: [] });
  expect(isClean(reportOf('x', { verdicts: [verdict], listeningMs: [] }), false)).toBe(true);
});

describe('verdictOf', () => {
  test('a call that ended before its script is dropped', () => {
    expect(verdictOf(evidence({ failure: 'the call ended at step 4' }), around)).toMatchObject({ dropped: true });
    expect(verdictOf(evidence({ record: { disposition: 'error' } }), around)).toMatchObject({ dropped: true });
  });

  test('a booking for another day, another name, or one that was never said back is a memory that was lost', () => {
    const other = [{ starts_at: '2026-11-25T14:00:00Z', customer_name: 'Anna Miller' }];
    expect(verdictOf(evidence({ bookings: other }), around).memoryKept).toBe(false);
    const stranger = [{ starts_at: '2026-11-24T14:00:00Z', customer_name: 'John Smith' }];
    expect(verdictOf(evidence({ bookings: stranger }), around).memoryKept).toBe(false);
    expect(verdictOf(evidence({ evidence: { sentences: [] } }), around).memoryKept).toBe(false);
  });

  test('a line, a sentence or a number in the sequence without a row is a lost turn', () => {
    const withoutHour = talk.filter(([, text]) => text !== lines.hour(who));
    expect(verdictOf(evidence({ turns: withoutHour }), around).turnsLost).toBe(1);
    const withoutAnswer = talk.filter(([, text]) => !text.startsWith('You are booked'));
    expect(verdictOf(evidence({ turns: withoutAnswer }), around).notes.join()).toContain(`no turn holds the agent's "${booked}"`);
    const turns = evidence().record?.turns.filter(({ sequence }) => sequence !== 4) ?? [];
    expect(verdictOf(evidence({ record: { turns }, evidence: { sentences: [] } }), around).notes).toContain('turn 4 is missing before 5');
  });

  test('a second booking, a second effect, a line on record twice that was said once are doubles', () => {
    const bookings = ['Anna Miller', 'Anna Miller'].map((customer_name) => ({ starts_at: '2026-11-24T14:00:00Z', customer_name }));
    expect(verdictOf(evidence({ bookings }), around).doubled).toBe(1);
    const run = { name: 'book_appointment', result: { booked: true } };
    expect(verdictOf(evidence({ record: { tool_runs: [run, run] as unknown as CallDetailView['tool_runs'] } }), around).doubled).toBe(1);
    expect(verdictOf(evidence({ turns: [...talk, ['caller', lines.goodbye]] }), around).doubled).toBe(1);
  });

  test('no disposition, a second record or an open workflow is more or less than one end', () => {
    expect(verdictOf(evidence({ record: { disposition: null } }), around).dispositionNotOne).toBe(true);
    expect(verdictOf(evidence({ evidence: { records: 2 } }), around).dispositionNotOne).toBe(true);
    expect(verdictOf(evidence({ evidence: { workflow: 'RUNNING' } }), around).dispositionNotOne).toBe(true);
  });

  test('where calls end by design, only how they were closed counts', () => {
    const verdict = verdictOf(evidence({ failure: 'the call ended at step 4', turns: [] }), { ...around, endsCalls: true });
    expect(verdict).toMatchObject({ dropped: true, turnsLost: 0, notes: [] });
    expect(isClean(reportOf('x', { verdicts: [verdict], listeningMs: [] }), true)).toBe(true);
    const late = verdictOf(evidence({ evidence: { closedAtMs: 16_000 } }), { ...around, endsCalls: true });
    expect(isClean(reportOf('x', { verdicts: [late], listeningMs: [] }), true)).toBe(false);
  });

  test('who calls without a database must be apologised to, and be on record', () => {
    const arriving = { ...evidence().run, phase: 'arriving' as const };
    const calm = { ...around, arrivalsAre: 'apology' as const };
    const spoken = [{ startMs: 0, endMs: 3_000 }];
    expect(verdictOf(evidence({ evidence: { run: arriving, agent: spoken } }), calm)).toMatchObject({ dropped: false, notes: [] });
    expect(verdictOf(evidence({ evidence: { run: arriving, record: null } }), calm)).toMatchObject({
      dropped: true,
      dispositionNotOne: true,
    });
  });
});
