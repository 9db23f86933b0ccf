import { formatSummary } from '../../setup/demo/format-summary.ts';
import { percentile, summarise, type SummaryInput } from '../../setup/demo/summary.ts';

const ANSWERED = Date.parse('2026-01-05T10:00:00.000Z');
const at = (ms: number): string => new Date(ANSWERED + ms).toISOString();
const turn = (sequence: number, speaker: 'caller' | 'agent', endMs: number, text: string, heardText = text) => ({
  sequence,
  speaker,
  text,
  heard_text: heardText,
  interrupted: heardText !== text,
  started_at: at(endMs - 1_000),
  ended_at: at(endMs),
  latencies: {},
});

const row = { created_at: at(-50), updated_at: at(0), tenant_id: 't' };

const input: SummaryInput = {
  workflowId: 'call-1',
  call: {
    ...row,
    id: '1',
    direction: 'inbound',
    status: 'completed',
    disposition: 'completed',
    reason: 'end_call',
    caller_number: null,
    phone_number_id: null,
    ai_profile_id: null,
    media_node: null,
    started_at: at(-50),
    answered_at: at(0),
    ended_at: at(14_000),
    usage: null,
    tool_runs: [],
    bookings: [
      {
        ...row,
        id: 'b',
        status: 'confirmed',
        starts_at: '2026-01-07T16:00:00.000Z',
        ends_at: '2026-01-07T16:30:00.000Z',
        customer_name: null,
        service: null,
        notes: null,
        source_call_id: '1',
      },
    ],
    turns: [
      turn(0, 'agent', 2_000, 'Welcome.'),
      turn(1, 'caller', 4_100, 'what are your opening hours'),
      turn(2, 'agent', 6_300, 'We are open from nine to five.', 'We are open'),
      turn(3, 'caller', 8_050, 'book an appointment'),
      turn(4, 'agent', 9_000, 'One moment.'),
      turn(5, 'agent', 11_000, 'It is booked.'),
    ],
  },
  historyEvents: 24,
  measures: {
    durationMs: 14_000,
    timeToFirstAudioMs: 420,
    utterances: [
      { startMs: 2_700, endMs: 4_000, latencyMs: 800 },
      { startMs: 6_000, endMs: 8_000, latencyMs: 700, bargeInStopMs: 310 },
    ],
    agentSpeech: [],
    longestSilenceMs: 900,
    clippedSamples: { caller: 0, agent: 0 },
  },
  recordedFromMs: ANSWERED,
  recording: { caller: '/r/caller.wav', agent: '/r/agent.wav', stereo: '/r/call.wav' },
  failure: null,
};

describe('summarise', () => {
  it('joins what was understood, what was heard in answer and what the recording shows', () => {
    const summary = summarise(input);
    expect(summary.greeting).toBe('Welcome.');
    expect(summary.turns).toEqual([
      { caller: 'what are your opening hours', agent: 'We are open', interrupted: true, latencyMs: 800 },
      { caller: 'book an appointment', agent: 'One moment. It is booked.', interrupted: false, latencyMs: 700 },
    ]);
    expect(summary).toMatchObject({
      timeToFirstAudioMs: 420,
      turnLatencyMs: { p50: 700, max: 800 },
      bargeInStopMs: 310,
      historyEvents: 24,
    });
    expect(summary.script).toEqual({ passed: true, failure: null });
  });

  it('does not lend a latency to a turn that no recorded utterance belongs to', () => {
    const late = { ...input, call: { ...input.call, turns: [turn(0, 'caller', 12_900, 'hello'), turn(1, 'agent', 13_500, 'Yes?')] } };
    expect(summarise(late).turns).toEqual([{ caller: 'hello', agent: 'Yes?', interrupted: false, latencyMs: null }]);
  });
});

describe('percentile', () => {
  it('is null of nothing and the nearest rank otherwise', () => {
    expect(percentile([], 0.5)).toBeNull();
    expect(percentile([30, 10, 20], 0.5)).toBe(20);
    expect(percentile([30, 10, 20], 0.95)).toBe(30);
    expect(percentile([7], 0)).toBe(7);
  });
});

describe('formatSummary', () => {
  it('shows the figures of one call and the booking in the time zone of the business', () => {
    const summary = summarise(input);
    const text = formatSummary({ ok: true, call: summary, calls: [summary], failures: [] }, 'America/New_York').join('\n');
    expect(text).toContain('completed (end_call)');
    expect(text).toContain('p50 700 ms, max 800 ms');
    expect(text).toContain('Wednesday, January 7, 2026 at 11:00 AM');
    expect(text).toContain('every expectation of the script held');
  });

  it('names every failure', () => {
    const summary = summarise({ ...input, failure: 'expected a goodbye' });
    const lines = formatSummary({ ok: false, call: summary, calls: [summary], failures: ['expected a goodbye'] });
    expect(lines.at(-1)).toBe('  ! expected a goodbye');
  });

  it('counts many calls', () => {
    const summary = summarise(input);
    const text = formatSummary({ ok: true, call: summary, calls: [summary, { ...summary, disposition: 'error' }], failures: [] }).join(
      '\n',
    );
    expect(text).toContain('2 recorded, 1 completed');
  });
});
