import type { Checkpoint, ToolRound } from '../../src/contracts/checkpoint.ts';
import { brokenOff, checkpointOf, nextSequenceOf, resumedTalk, sameStanding } from '../../src/media/checkpoints.ts';
import { Conversation } from '../../src/media/conversation.ts';
import { sentenceStart } from '../../src/media/sentences.ts';
import { ToolDesk } from '../../src/media/tool-desk.ts';
import { initialTurnState, takeTurn, turnDefaults, type TurnCommand, type TurnEvent, type TurnState } from '../../src/media/turn-taking.ts';
import { turnRecord } from '../support/turn-record.ts';
import { standing } from '../support/standing.ts';

const options = { ...turnDefaults, maxTurns: 20, maxDurationMs: 300_000, silenceReminderMs: 8_000, maxReminders: 2 };
const answer = 'We are open until five. Is there anything else?';
const speech = (change: Partial<NonNullable<Checkpoint['speech']>> = {}): NonNullable<Checkpoint['speech']> => ({
  isReply: true,
  text: answer,
  complete: true,
  sentenceAt: 0,
  heardTo: 0,
  audible: true,
  startedAt: '2026-11-21T10:00:20.000Z',
  endCall: false,
  ...change,
});

type Body = TurnEvent extends infer E ? (E extends TurnEvent ? Omit<E, 'atMs'> : never) : never;

/** A talk that goes on 60 s after it was answered. */
class Resumed {
  state: TurnState = initialTurnState;
  readonly first: readonly TurnCommand[];
  constructor(change: Partial<Checkpoint>) {
    this.first = this.at(60_000, { type: 'resumed', from: resumedTalk({ ...standing, ...change }) });
  }
  at(atMs: number, event: Body): readonly TurnCommand[] {
    const [state, commands] = takeTurn(this.state, { ...event, atMs }, options);
    this.state = state;
    return commands;
  }
}
/** Timers aside. */
const types = (commands: readonly TurnCommand[]) => commands.map((command) => command.type).filter((type) => !type.endsWith('_timer'));
const said = (commands: readonly TurnCommand[]) => commands.flatMap((command) => (command.type === 'say' ? [command.phrase] : []));

describe('takeTurn: a talk that another node began', () => {
  test('keeps its counts and its clock, and waits for a caller who was silent', () => {
    const talk = new Resumed({});
    expect(talk.state).toMatchObject({ turns: 3, reminders: 1, agent: 'silent' });
    expect(talk.first).toEqual([
      { type: 'set_timer', name: 'max_duration', afterMs: 240_000 },
      { type: 'set_timer', name: 'silence', afterMs: 8_000 },
    ]);
  });

  test('the agent goes on with its sentence, and the caller may interrupt it as ever', () => {
    const talk = new Resumed({ floor: 'agent', speech: speech() });
    expect(types(talk.first)).toEqual(['go_on']);
    expect(types(talk.at(61_000, { type: 'speech_started', sinceMs: 60_900 }))).toContain('pause');
  });

  test('an answer whose words are not all known is generated again', () => {
    expect(types(new Resumed({ floor: 'agent', speech: speech({ complete: false }) }).first)).toEqual(['reply']);
  });

  test('an answer that was pending is generated again; a failure that was being excused is tried again', () => {
    expect(types(new Resumed({ floor: 'thinking', unanswered: 'until when' }).first)).toEqual(['reply']);
    const excusing = new Resumed({ floor: 'agent', speech: speech({ isReply: false }), afterSaying: 'retry' });
    expect(types(excusing.at(62_000, { type: 'agent_finished', endCall: false }))).toEqual(['reply']);
  });

  test('a caller whose words were lost is asked for them again, once they are silent', () => {
    const talk = new Resumed({ floor: 'caller', text: 'my name' });
    expect(talk.first).toContainEqual({ type: 'set_timer', name: 'lost_words', afterMs: expect.any(Number) as number });
    expect(said(talk.at(60_300, { type: 'speech_started', sinceMs: 60_200 }))).toEqual([]);
    expect(said(talk.at(60_400, { type: 'timer', name: 'lost_words' }))).toEqual([]);
    const after = talk.at(61_500, { type: 'speech_ended', sinceMs: 61_300 });
    expect(said(after)).toEqual(['lost_you']);
    expect(types(after)).not.toContain('transcribe');
    expect(talk.state.text).toBe('');
  });

  test('a caller who fell silent meanwhile is asked at once', () => {
    const talk = new Resumed({ floor: 'caller' });
    expect(said(talk.at(60_400, { type: 'timer', name: 'lost_words' }))).toEqual(['lost_you']);
  });

  test('words that were understood and not yet answered are answered', () => {
    const talk = new Resumed({ text: 'until when are you open' });
    expect(talk.first).toContainEqual({ type: 'caller_turn', text: 'until when are you open', merged: false });
    expect(types(talk.first)).toContain('reply');
  });

  test('a goodbye is said to its end, and ends the call as it was meant to', () => {
    const ending = { disposition: 'max_turns', reason: 'max_turns' } as const;
    const talk = new Resumed({ floor: 'agent', speech: speech({ isReply: false }), ending });
    expect(types(talk.first)).toContain('go_on');
    expect(talk.at(62_000, { type: 'agent_finished', endCall: false })).toEqual([{ type: 'end', ...ending }]);
    const said_ = new Resumed({ floor: 'agent', speech: speech({ sentenceAt: answer.length }), ending });
    expect(said_.first).toEqual([{ type: 'end', ...ending }]);
  });
});

describe('checkpoints', () => {
  const point = { ...speech(), startedMs: 20_000 };
  const iso = (atMs: number): string => new Date(Date.parse(standing.answeredAt) + atMs).toISOString();
  const now = (state: Partial<TurnState>, said_: typeof point | null = null) =>
    checkpointOf({ state: { ...initialTurnState, ...state }, speech: said_, nextSequence: 7, usage: standing.usage, iso });

  test('checkpointOf tells whose move it is', () => {
    expect(now({}).floor).toBe('nobody');
    expect(now({ agent: 'generating', unanswered: 'x' })).toMatchObject({ floor: 'thinking', unanswered: 'x' });
    expect(now({ agent: 'talking' }, point)).toMatchObject({ floor: 'agent', speech: { text: answer, startedAt: iso(20_000) } });
    // Over the agent's words, or on their way through recognition: they would be lost.
    expect(now({ agent: 'talking', callerSpeaking: true }, point).floor).toBe('caller');
    expect(now({ awaitingTranscript: true }).floor).toBe('caller');
  });

  test('sameStanding: consumption alone is no news', () => {
    const before = now({ turns: 1 });
    expect(sameStanding(before, { ...before, usage: { ...before.usage, sttSeconds: 9 } })).toBe(true);
    expect(sameStanding(before, now({ turns: 2 }))).toBe(false);
    expect(sameStanding(null, before)).toBe(false);
  });

  test('sameStanding: a word more is news only of an answer that would not be said again', () => {
    const talking = { ...standing, floor: 'agent' as const };
    const writing = { ...talking, speech: speech({ complete: false, heardTo: 3 }) };
    expect(sameStanding(writing, { ...talking, speech: speech({ complete: false, heardTo: 9 }) })).toBe(false);
    const written = { ...talking, speech: speech({ heardTo: 3 }) };
    expect(sameStanding(written, { ...talking, speech: speech({ heardTo: 9 }) })).toBe(true);
  });

  test('brokenOff keeps what the caller heard of words that will not be finished', () => {
    const heard = speech({ sentenceAt: 24 });
    expect(brokenOff({ ...standing, floor: 'caller', speech: heard })).toMatchObject({
      text: answer,
      heardText: 'We are open until five.',
      interrupted: true,
      startedMs: 20_000,
    });
    // An answer that the model was still writing is given again; what was heard of it is on record all the same.
    const half = speech({ complete: false, heardTo: 11 });
    expect(brokenOff({ ...standing, floor: 'agent', speech: half })).toMatchObject({ heardText: 'We are open' });
    expect(brokenOff({ ...standing, floor: 'agent', speech: heard })).toBeNull();
    expect(brokenOff({ ...standing, floor: 'caller', speech: speech() })).toBeNull();
  });

  test('nextSequenceOf never gives a turn a number that is taken', () => {
    expect(nextSequenceOf([turnRecord(0), turnRecord(1)], null)).toBe(2);
    expect(nextSequenceOf([turnRecord(0)], { checkpoint: standing, rounds: [] })).toBe(7);
    expect(nextSequenceOf([turnRecord(9)], { checkpoint: standing, rounds: [] })).toBe(10);
  });
});

describe('sentenceStart', () => {
  test('finds the sentence that is being heard; one that was heard to its end is not said again', () => {
    expect(sentenceStart(answer, 0)).toBe(0);
    expect(sentenceStart(answer, 10)).toBe(0);
    expect(sentenceStart(answer, 'We are open until five.'.length)).toBe(24);
    expect(sentenceStart(answer, 40)).toBe(24);
  });
  test('does not break at a number, a time or an abbreviation', () => {
    expect(sentenceStart('It costs 10.50 at 9 a.m. on Monday.', 30)).toBe(0);
  });
});

describe('tools across a take-over', () => {
  const call = { id: 'c1', name: 'book_appointment', arguments: '{"time":"11:00"}' };
  const round = (result: string | null): ToolRound => ({ id: 0, turn: 2, before: 3, calls: [{ ...call, key: '2:0', result }] });

  test('a tool that had its result is not run again, and the next one gets another key', async () => {
    const sent: string[] = [];
    const desk = new ToolDesk({
      emit: (event) => void (event.kind === 'tool_call' && sent.push(event.key)),
      timeoutMs: 1_000,
      rounds: [round('{"booked":true}')],
    });
    expect(await desk.run(2, { ...call, id: 'other' })).toEqual({ key: '2:0', ok: true, content: '{"booked":true}' });
    void desk.run(2, { ...call, arguments: '{"time":"12:00"}' });
    desk.close();
    expect(sent).toEqual(['2:1']);
  });

  test('a tool that was running is asked for under its old key, and the model sees its result before it goes on', async () => {
    const sent: string[] = [];
    const desk = new ToolDesk({
      emit: (event) => void (event.kind === 'tool_call' && sent.push(event.key)),
      timeoutMs: 1_000,
      rounds: [round(null)],
    });
    const transcript = [turnRecord(0), turnRecord(1), turnRecord(2)];
    const talk = new Conversation({ systemPrompt: 'x', transcript, rounds: [round(null)] });
    const fetching = talk.fetchMissing((missing) => desk.run(2, missing));
    desk.settle({ key: '2:0', ok: true, content: '{"booked":true}' });
    await fetching;
    expect(sent).toEqual(['2:0']);
    expect(talk.messages().at(-1)).toEqual({ role: 'tool', toolCallId: 'c1', content: '{"booked":true}' });
  });

  test('Conversation files tools where they happened', () => {
    const transcript = [turnRecord(0), turnRecord(1), turnRecord(2), turnRecord(3)];
    const roles = new Conversation({ systemPrompt: 'x', transcript, rounds: [round('{}')] }).messages().map((message) => message.role);
    expect(roles.slice(4)).toEqual(['assistant', 'tool', expect.stringMatching(/user|assistant/)]);
  });
});
