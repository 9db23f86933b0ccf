/** What operators want of a talk, and when the reducer lets it happen. */
import {
  callStateOf,
  initialTurnState,
  takeTurn,
  turnDefaults,
  type TurnCommand,
  type TurnEvent,
  type TurnOptions,
  type TurnState,
} from '../../src/media/turn-taking.ts';
import { checkpointOf, resumedTalk } from '../../src/media/checkpoints.ts';
import { checkpoint as checkpointSchema } from '../../src/contracts/checkpoint.ts';

const options: TurnOptions = { ...turnDefaults, maxTurns: 20, maxDurationMs: 300_000, silenceReminderMs: 8_000, maxReminders: 2 };
type Body = TurnEvent extends infer E ? (E extends TurnEvent ? Omit<E, 'atMs'> : never) : never;

class Call {
  state: TurnState = initialTurnState;
  at(atMs: number, event: Body): readonly TurnCommand[] {
    const [state, commands] = takeTurn(this.state, { ...event, atMs }, options);
    this.state = state;
    return commands;
  }
  greeted(): this {
    this.at(0, { type: 'connected' });
    this.at(300, { type: 'agent_audible' });
    this.at(2_000, { type: 'agent_finished', endCall: false });
    return this;
  }
}

const words = (commands: readonly TurnCommand[]) => commands.flatMap((command) => (command.type === 'say_words' ? [command.text] : []));
const phrases = (commands: readonly TurnCommand[]) => commands.flatMap((command) => (command.type === 'say' ? [command.phrase] : []));
const sayHello: Body = { type: 'operator_say', id: '1', text: 'Hello' };
const transfer: Body = { type: 'operator_transfer', id: '2', to: 'sip:desk@127.0.0.1' };
const finished: Body = { type: 'agent_finished', endCall: false };

describe('an operator’s sentence', () => {
  test('is said at once while nobody speaks, and the caller is listened to after it', () => {
    const call = new Call().greeted();
    const commands = call.at(3_000, sayHello);
    expect(words(commands)).toEqual(['Hello']);
    expect(commands).toContainEqual({ type: 'clear_timer', name: 'silence' });
    expect(call.at(5_000, finished)).toContainEqual({ type: 'set_timer', name: 'silence', afterMs: 8_000 });
  });

  test('waits for the end of what the agent is saying', () => {
    const call = new Call();
    call.at(0, { type: 'connected' });
    expect(call.at(500, sayHello)).toEqual([]);
    expect(words(call.at(2_000, finished))).toEqual(['Hello']);
  });

  test('waits until the caller has been heard out and answered', () => {
    const call = new Call().greeted();
    call.at(3_000, { type: 'speech_started', sinceMs: 2_900 });
    expect(call.at(3_100, sayHello)).toEqual([]);
    expect(words(call.at(4_000, { type: 'speech_ended', sinceMs: 3_900 }))).toEqual([]);
    expect(words(call.at(4_200, { type: 'transcript', transcription: 1, text: 'I need a' }))).toEqual([]);
    expect(words(call.at(7_000, { type: 'timer', name: 'end_of_turn' }))).toEqual([]);
    call.at(7_500, { type: 'agent_audible' });
    expect(words(call.at(9_000, finished))).toEqual(['Hello']);
  });

  test('is said after a noise that was no speech', () => {
    const call = new Call().greeted();
    call.at(3_000, { type: 'speech_started', sinceMs: 2_900 });
    call.at(3_100, sayHello);
    call.at(3_300, { type: 'speech_ended', sinceMs: 3_200 });
    expect(words(call.at(3_500, { type: 'transcript', transcription: 1, text: '' }))).toEqual(['Hello']);
  });

  test('is said once, however often the wish comes', () => {
    const call = new Call().greeted();
    call.at(3_000, sayHello);
    expect(call.at(3_010, sayHello)).toEqual([]);
    expect(words(call.at(5_000, finished))).toEqual([]);
  });

  test('several are said in order, and none after the goodbye has begun', () => {
    const call = new Call().greeted();
    call.at(3_000, sayHello);
    call.at(3_100, { type: 'operator_say', id: 'b', text: 'Second' });
    call.at(3_200, { type: 'operator_say', id: 'c', text: 'Third' });
    expect(words(call.at(5_000, finished))).toEqual(['Second']);
    call.at(6_000, { type: 'operator_hangup' });
    expect(words(call.at(6_100, { type: 'operator_say', id: 'd', text: 'Fourth' }))).toEqual([]);
    expect(words(call.at(8_000, finished))).toEqual([]);
    expect(call.state.ended).toBe(true);
  });

  test('that could not be spoken is not followed by an answer that nobody asked for', () => {
    const call = new Call().greeted();
    call.at(3_000, sayHello);
    call.at(3_500, { type: 'reply_failed', stage: 'tts' });
    expect(call.at(5_000, finished).map(({ type }) => type)).not.toContain('reply');
  });
});

describe('a transfer', () => {
  test('is announced, then the caller goes', () => {
    const call = new Call().greeted();
    expect(phrases(call.at(3_000, transfer))).toEqual(['transfer_announced']);
    expect(call.at(5_000, finished)).toContainEqual({ type: 'transfer', to: 'sip:desk@127.0.0.1' });
    expect(callStateOf(call.state)).toBe('transferring');
    const commands = call.at(9_000, { type: 'transfer_ended', outcome: 'answered' });
    expect(commands).toEqual([{ type: 'end', disposition: 'transferred', reason: 'transferred' }]);
  });

  test('waits for a caller who speaks into the announcement, and happens after their answer', () => {
    const call = new Call().greeted();
    call.at(3_000, transfer);
    call.at(3_200, { type: 'agent_audible' });
    call.at(4_000, { type: 'speech_started', sinceMs: 3_900 });
    call.at(5_000, { type: 'speech_ended', sinceMs: 4_900 });
    expect(call.at(5_200, { type: 'transcript', transcription: 1, text: 'No wait.' }).map(({ type }) => type)).toContain('cut');
    call.at(6_000, { type: 'timer', name: 'end_of_turn' });
    call.at(6_500, { type: 'agent_audible' });
    expect(phrases(call.at(8_000, finished))).toEqual(['transfer_announced']);
    expect(call.at(10_000, finished).map(({ type }) => type)).toContain('transfer');
  });

  test('that nobody answered leads back into the talk, with the time that is left', () => {
    const call = new Call().greeted();
    call.at(3_000, transfer);
    call.at(5_000, finished);
    expect(call.at(6_000, { type: 'timer', name: 'max_duration' })).toEqual([]);
    const commands = call.at(35_000, { type: 'transfer_ended', outcome: 'failed' });
    expect(phrases(commands)).toEqual(['transfer_failed']);
    expect(commands).toContainEqual({ type: 'set_timer', name: 'max_duration', afterMs: 265_000 });
    expect(call.at(37_000, finished)).toContainEqual({ type: 'set_timer', name: 'silence', afterMs: 8_000 });
  });

  test('ends with the caller’s hang-up, or the operator’s', () => {
    for (const [event, disposition] of [
      [{ type: 'transfer_ended', outcome: 'gone' }, 'abandoned'],
      [{ type: 'operator_hangup' }, 'operator_hangup'],
    ] as const) {
      const call = new Call().greeted();
      call.at(3_000, transfer);
      call.at(5_000, finished);
      expect(call.at(6_000, event)).toContainEqual(expect.objectContaining({ type: 'end', disposition }));
    }
  });
});

describe('another node that goes on', () => {
  const handedOver = (call: Call) => {
    const usage = { sttSeconds: 0, llmPromptTokens: 0, llmCompletionTokens: 0, ttsCharacters: 0 };
    const iso = (atMs: number): string => new Date(1_795_000_000_000 + atMs).toISOString();
    const point = checkpointOf({ state: call.state, speech: null, nextSequence: 1, usage, iso });
    const next = new Call();
    // The way over the control socket.
    const from = resumedTalk(checkpointSchema.parse(JSON.parse(JSON.stringify(point))));
    return { next, commands: next.at(10_000, { type: 'resumed', from }) };
  };

  test('knows what operators still want, and what has been wished already', () => {
    const call = new Call().greeted();
    call.at(3_000, { type: 'speech_started', sinceMs: 2_900 });
    call.at(3_100, sayHello);
    const { next } = handedOver(call);
    expect(next.state).toMatchObject({ toSay: ['Hello'], steered: ['1'] });
    expect(next.at(10_001, sayHello)).toEqual([]);
    // Nobody spoke: the caller is asked to repeat, and then it is the operator's turn.
    next.at(10_400, { type: 'timer', name: 'lost_words' });
    expect(words(next.at(13_000, finished))).toEqual(['Hello']);
  });

  test('listens to a caller who came back from a transfer that failed', () => {
    const call = new Call().greeted();
    call.at(3_000, transfer);
    call.at(5_000, finished);
    const { next, commands } = handedOver(call);
    expect(next.state).toMatchObject({ transferTo: null, transferring: false, agent: 'silent' });
    expect(commands).toContainEqual({ type: 'set_timer', name: 'silence', afterMs: 8_000 });
  });
});
