/**
 * Who has the floor: takeTurn(state, event) → [state, commands]. No clock, no I/O: time is in the
 * events (ms since the call was answered), timers leave as commands and come back as events, so any
 * call can be replayed.
 *
 * The agent is silent, generating (an answer is on its way, nothing heard yet) or talking. Caller
 * speech while the agent is not silent first pauses it (`suspected`); real words or persistence cut
 * it, a cough or "mm-hm" lets it go on where it stopped.
 */
import type { CallState, Disposition } from '../domain/call.ts';
import { deadAirDefaults, fillSilence, watchSilence, type DeadAirOptions } from './dead-air.ts';
import { endOfTurnDelayMs, endpointingDefaults, isBackchannel, type EndpointingOptions } from './end-of-turn.ts';

/** Fixed sentences; their words are in phrases.ts. */
export type Phrase =
  | 'greeting'
  | 'not_heard'
  | 'lost_you'
  | 'technical_difficulty'
  | 'audio_issues'
  | 'one_moment'
  | 'takes_longer'
  | 'still_there'
  | 'no_input_goodbye'
  | 'max_turns_goodbye'
  | 'max_duration_goodbye'
  | 'operator_goodbye'
  | 'error_goodbye'
  | 'transfer_announced'
  | 'transfer_failed';

export type TimerName = 'end_of_turn' | 'barge_in' | 'silence' | 'max_duration' | 'lost_words' | 'dead_air';

export interface TurnOptions extends DeadAirOptions {
  readonly maxTurns: number;
  readonly maxDurationMs: number;
  readonly silenceReminderMs: number;
  readonly maxReminders: number;
  /** Caller speech this long cuts the agent without waiting for words. */
  readonly bargeInConfirmMs: number;
  /** Unintelligible speech shorter than this is taken for noise. */
  readonly noiseMs: number;
  /** Failures in a row (of STT, of replies) after which the call is given up. */
  readonly maxFailures: number;
  readonly endpointing: EndpointingOptions;
}

export const turnDefaults = {
  ...deadAirDefaults,
  bargeInConfirmMs: 500,
  noiseMs: 600,
  maxFailures: 3,
  endpointing: endpointingDefaults,
} as const;

export type TurnEvent = { readonly atMs: number } & (
  | { readonly type: 'connected' }
  | { readonly type: 'resumed'; readonly from: ResumedTalk }
  | { readonly type: 'speech_started' | 'speech_ended'; /** When it truly happened. */ readonly sinceMs: number }
  | { readonly type: 'transcript'; readonly transcription: number; readonly text: string }
  | { readonly type: 'transcription_failed'; readonly transcription: number }
  | { readonly type: 'agent_audible' }
  /** All that was given to the caller is heard, and more is to come. */
  | { readonly type: 'agent_quiet' }
  /** A fixed sentence cannot be spoken in any voice. */
  | { readonly type: 'voice_lost' }
  | { readonly type: 'agent_finished'; /** The reply called end_call. */ readonly endCall: boolean }
  | { readonly type: 'reply_failed'; readonly stage: 'llm' | 'tts' }
  | { readonly type: 'end_call_requested' }
  | { readonly type: 'timer'; readonly name: TimerName }
  | { readonly type: 'operator_hangup' }
  | { readonly type: 'operator_say'; /** Of the wish: one that comes twice counts once. */ readonly id: string; readonly text: string }
  | { readonly type: 'operator_transfer'; readonly id: string; readonly to: string }
  | { readonly type: 'transfer_ended'; readonly outcome: TransferOutcome }
  | { readonly type: 'caller_hangup' }
);

/** `gone`: the caller hung up meanwhile. */
export type TransferOutcome = 'answered' | 'failed' | 'gone';

export type TurnCommand =
  | { readonly type: 'say'; readonly phrase: Phrase }
  | { readonly type: 'say_words'; /** An operator's. */ readonly text: string }
  | { readonly type: 'transfer'; readonly to: string }
  /** Into a silence, without touching what the agent is about to say. */
  | { readonly type: 'fill'; readonly phrase: Exclude<Phrase, 'greeting'> }
  | { readonly type: 'reply' | 'go_on' }
  | {
      readonly type: 'caller_turn';
      readonly text: string;
      /** Replaces the previous caller turn, which got no answer. */ readonly merged: boolean;
    }
  | { readonly type: 'open_utterance' | 'close_utterance' | 'pause' | 'resume' | 'cut' }
  | { readonly type: 'transcribe'; readonly transcription: number }
  | { readonly type: 'set_timer'; readonly name: TimerName; readonly afterMs: number }
  | { readonly type: 'clear_timer'; readonly name: TimerName }
  | { readonly type: 'end'; readonly disposition: Disposition; readonly reason: string };

export interface Ending {
  readonly disposition: Disposition;
  readonly reason: string;
}

/** Where another node left off; see src/contracts/checkpoint.ts. */
export interface ResumedTalk extends Pick<
  TurnState,
  'afterSaying' | 'text' | 'unanswered' | 'turns' | 'reminders' | 'endCallRequested' | 'ending' | 'toSay' | 'transferTo' | 'steered'
> {
  readonly floor: 'nobody' | 'caller' | 'thinking' | 'agent';
  /** What the agent was saying is known to its end, so it can be said again from there. */
  readonly speechKnown: boolean;
}

export interface TurnState {
  readonly agent: 'silent' | 'generating' | 'talking';
  /** Commands what happens once the present phrase has been said. */
  readonly afterSaying: 'listen' | 'retry' | 'transfer';
  readonly suspected: boolean;
  /** The caller hears the agent's present speech. */
  readonly heard: boolean;
  /** Said into the present silence; see dead-air.ts. */
  readonly fillers: number;
  readonly callerSpeaking: boolean;
  /** The caller's present words were lost with another node: they are asked to say them again. */
  readonly wordsLost: boolean;
  readonly speechStartedMs: number;
  readonly speechEndedMs: number;
  /** Number of the latest transcription asked for; older results are stale. */
  readonly transcription: number;
  readonly awaitingTranscript: boolean;
  /** Words of the open utterance, once known. */
  readonly text: string;
  /** Words of a committed turn that got no audible answer. */
  readonly unanswered: string;
  readonly turns: number;
  readonly reminders: number;
  readonly sttFailures: number;
  readonly replyFailures: number;
  readonly endCallRequested: boolean;
  /** Operators' sentences that wait for a moment in which the agent may speak, oldest first. */
  readonly toSay: readonly string[];
  /** Where an operator wants the caller to go, at the next such moment. */
  readonly transferTo: string | null;
  /** Ids of the operators' wishes so far. */
  readonly steered: readonly string[];
  /** The caller hears it ring elsewhere; this node has no audio of them. */
  readonly transferring: boolean;
  /** Set once the goodbye has begun: nothing but its end follows. */
  readonly ending: Ending | null;
  readonly ended: boolean;
}

export const initialTurnState: TurnState = {
  agent: 'silent',
  afterSaying: 'listen',
  suspected: false,
  heard: false,
  fillers: 0,
  callerSpeaking: false,
  wordsLost: false,
  speechStartedMs: 0,
  speechEndedMs: 0,
  transcription: 0,
  awaitingTranscript: false,
  text: '',
  unanswered: '',
  turns: 0,
  reminders: 0,
  sttFailures: 0,
  replyFailures: 0,
  endCallRequested: false,
  toSay: [],
  transferTo: null,
  steered: [],
  transferring: false,
  ending: null,
  ended: false,
};

type Step = readonly [TurnState, readonly TurnCommand[]];

export function takeTurn(state: TurnState, event: TurnEvent, options: TurnOptions): Step {
  if (state.ended) return [state, []];
  const step = operatorsTurn(state.transferring ? whileTransferring(state, event, options) : decide(state, event, options));
  // Whoever goes on elsewhere has no clock that runs.
  return watchSilence(event.type === 'resumed' ? initialTurnState : state, step, options);
}

function decide(state: TurnState, event: TurnEvent, options: TurnOptions): Step {
  switch (event.type) {
    case 'connected':
      return say(state, 'greeting', [{ type: 'set_timer', name: 'max_duration', afterMs: options.maxDurationMs }]);
    case 'resumed':
      return resumed(event.from, event.atMs, options);
    case 'caller_hangup':
      return end(state, state.ending ?? hangupEnding(state));
    case 'agent_finished':
      return agentFinished(state, event.endCall, options);
    case 'voice_lost':
      return voiceLost(state);
    case 'operator_hangup':
      return state.ending === null
        ? goodbye(state, 'operator_goodbye', { disposition: 'operator_hangup', reason: 'operator' })
        : [state, []];
    case 'operator_say':
    case 'operator_transfer':
      return [state.ending === null ? wished(state, event) : state, []];
    case 'transfer_ended':
      return [state, []];
    case 'speech_started':
    case 'speech_ended':
    case 'transcript':
    case 'transcription_failed':
    case 'agent_audible':
    case 'agent_quiet':
    case 'reply_failed':
    case 'end_call_requested':
    case 'timer':
      // A goodbye is not interrupted: it is the last thing said on this call.
      return state.ending === null ? converse(state, event, options) : [state, []];
  }
}

/** How long a caller who was speaking gets to go on before the agent asks; their voice is known to be there by then. */
const LOST_WORDS_MS = 400;

/** The talk goes on where another node left it. */
function resumed(from: ResumedTalk, atMs: number, options: TurnOptions): Step {
  const { floor, speechKnown, ...kept } = from;
  const state: TurnState = { ...initialTurnState, ...kept };
  const clock: TurnCommand = { type: 'set_timer', name: 'max_duration', afterMs: Math.max(0, options.maxDurationMs - atMs) };
  if (floor === 'agent' && speechKnown) return [{ ...state, agent: 'talking' }, [clock, { type: 'go_on' }]];
  // A goodbye whose words are not known was as good as said.
  if (state.ending !== null) return end(state, state.ending);
  if (floor === 'agent' || floor === 'thinking') return [{ ...state, agent: 'generating' }, [clock, { type: 'reply' }]];
  if (floor === 'caller') {
    const lost: TurnState = { ...state, wordsLost: true, text: '' };
    return [lost, [clock, { type: 'set_timer', name: 'lost_words', afterMs: LOST_WORDS_MS }]];
  }
  if (state.text !== '') return commit(state, [clock]);
  return [state, [clock, { type: 'set_timer', name: 'silence', afterMs: options.silenceReminderMs }]];
}

/** Asked once the caller is silent: a question into their words would be heard by nobody. */
function askAgain(state: TurnState): Step {
  return say({ ...state, wordsLost: false, text: '' }, 'lost_you', [{ type: 'close_utterance' }]);
}

/** Wishes of operators are kept small in number: they wait in memory, and travel to the next node. */
const MAX_WAITING = 10;
const MAX_STEERED = 50;

function wished(state: TurnState, wish: Extract<TurnEvent, { readonly type: 'operator_say' | 'operator_transfer' }>): TurnState {
  if (state.steered.includes(wish.id)) return state;
  const steered = [...state.steered, wish.id].slice(-MAX_STEERED);
  if (wish.type === 'operator_transfer') return { ...state, steered, transferTo: wish.to };
  return { ...state, steered, toSay: [...state.toSay, wish.text].slice(-MAX_WAITING) };
}

/** Once nobody speaks and nobody waits for an answer, the agent says what operators want said, then lets the caller go where they want. */
function operatorsTurn([state, commands]: Step): Step {
  const free = state.agent === 'silent' && floorOf(state) === 'nobody' && state.text === '' && state.ending === null && !state.ended;
  const [text, ...toSay] = state.toSay;
  if (!free || (text === undefined && state.transferTo === null)) return [state, commands];
  if (text === undefined) {
    const [next, more] = say(state, 'transfer_announced', commands);
    return [{ ...next, afterSaying: 'transfer' }, more];
  }
  const speaking: TurnState = { ...state, toSay, agent: 'talking', afterSaying: 'listen' };
  return [speaking, [...commands, { type: 'clear_timer', name: 'silence' }, { type: 'say_words', text }]];
}

/** Nothing of the talk goes on meanwhile: the caller is in the hands of the PBX. */
function whileTransferring(state: TurnState, event: TurnEvent, options: TurnOptions): Step {
  if (event.type === 'transfer_ended') return transferEnded({ ...state, transferring: false, transferTo: null }, event, options);
  if (event.type === 'caller_hangup') return end(state, hangupEnding(state));
  if (event.type === 'operator_hangup') return end(state, { disposition: 'operator_hangup', reason: 'operator' });
  return [event.type === 'operator_say' ? wished(state, event) : state, []];
}

function transferEnded(state: TurnState, event: { outcome: TransferOutcome; atMs: number }, options: TurnOptions): Step {
  if (event.outcome === 'answered') return end(state, { disposition: 'transferred', reason: 'transferred' });
  if (event.outcome === 'gone') return end(state, hangupEnding(state));
  const afterMs = Math.max(0, options.maxDurationMs - event.atMs);
  return say(state, 'transfer_failed', [{ type: 'set_timer', name: 'max_duration', afterMs }]);
}

type TalkEvent = Exclude<
  TurnEvent,
  {
    readonly type:
      | 'connected'
      | 'resumed'
      | 'caller_hangup'
      | 'agent_finished'
      | 'voice_lost'
      | 'operator_hangup'
      | 'operator_say'
      | 'operator_transfer'
      | 'transfer_ended';
  }
>;

function converse(state: TurnState, event: TalkEvent, options: TurnOptions): Step {
  switch (event.type) {
    case 'speech_started':
      return speechStarted(state, event.sinceMs, options);
    case 'speech_ended':
      return speechEnded(state, event.sinceMs);
    case 'transcript':
      return transcript(state, event, options);
    case 'transcription_failed':
      return transcriptionFailed(state, event.transcription, options);
    case 'agent_audible':
      return [{ ...state, agent: state.agent === 'generating' ? 'talking' : state.agent, heard: true }, []];
    case 'agent_quiet':
      return [{ ...state, heard: false }, []];
    case 'reply_failed':
      return replyFailed(state, event.stage, options);
    case 'end_call_requested':
      return [{ ...state, endCallRequested: true }, []];
    case 'timer':
      return timer(state, event.name, options);
  }
}

function speechStarted(state: TurnState, sinceMs: number, options: TurnOptions): Step {
  const next: TurnState = {
    ...state,
    callerSpeaking: true,
    speechStartedMs: state.text === '' && !state.awaitingTranscript ? sinceMs : state.speechStartedMs,
  };
  const commands: TurnCommand[] = [
    { type: 'clear_timer', name: 'silence' },
    { type: 'clear_timer', name: 'end_of_turn' },
    { type: 'open_utterance' },
  ];
  if (state.agent === 'silent') return [next, commands];
  return [
    { ...next, suspected: true },
    [{ type: 'pause' }, ...commands, { type: 'set_timer', name: 'barge_in', afterMs: options.bargeInConfirmMs }],
  ];
}

function speechEnded(state: TurnState, sinceMs: number): Step {
  if (state.wordsLost) return askAgain({ ...state, callerSpeaking: false, speechEndedMs: sinceMs });
  const transcription = state.transcription + 1;
  return [
    { ...state, callerSpeaking: false, speechEndedMs: sinceMs, transcription, awaitingTranscript: true },
    [
      { type: 'clear_timer', name: 'barge_in' },
      { type: 'transcribe', transcription },
    ],
  ];
}

function transcript(state: TurnState, event: { atMs: number; transcription: number; text: string }, options: TurnOptions): Step {
  // Stale, or the caller went on: the whole utterance is transcribed again when they stop.
  if (event.transcription !== state.transcription || state.callerSpeaking) return [state, []];
  const text = event.text.trim();
  const heard: TurnState = { ...state, awaitingTranscript: false, sttFailures: 0 };
  if (state.suspected && (text === '' || isBackchannel(text))) return goOn(heard);
  if (text === '') return nothingHeard(heard, options);
  const [clear, cut] = state.suspected ? interrupt(heard) : ([heard, []] as Step);
  const waitMs = state.speechEndedMs + endOfTurnDelayMs(text, options.endpointing) - event.atMs;
  const spoken: TurnState = { ...clear, text };
  if (waitMs > 0) return [spoken, [...cut, { type: 'set_timer', name: 'end_of_turn', afterMs: waitMs }]];
  return commit(spoken, cut);
}

function transcriptionFailed(state: TurnState, transcription: number, options: TurnOptions): Step {
  if (transcription !== state.transcription || state.callerSpeaking) return [state, []];
  const failed: TurnState = { ...state, awaitingTranscript: false, sttFailures: state.sttFailures + 1 };
  if (failed.sttFailures >= options.maxFailures) return goodbye(failed, 'error_goodbye', { disposition: 'error', reason: 'stt_failed' });
  if (state.suspected) return goOn(failed);
  return say(failed, 'not_heard', [{ type: 'close_utterance' }]);
}

/** The agent continues at the sample where it was paused. */
function goOn(state: TurnState): Step {
  return [{ ...state, suspected: false, text: '' }, [{ type: 'close_utterance' }, { type: 'resume' }]];
}

function nothingHeard(state: TurnState, options: TurnOptions): Step {
  const idle: TurnState = { ...state, text: '' };
  if (state.agent !== 'silent') return [idle, [{ type: 'close_utterance' }]];
  if (state.speechEndedMs - state.speechStartedMs < options.noiseMs) {
    return [idle, [{ type: 'close_utterance' }, { type: 'set_timer', name: 'silence', afterMs: options.silenceReminderMs }]];
  }
  return say(idle, 'not_heard', [{ type: 'close_utterance' }]);
}

/** Stops the agent for good; what it was answering and nobody heard an answer to is carried into the next turn. */
function interrupt(state: TurnState): Step {
  const unanswered = state.agent === 'generating' || state.afterSaying === 'retry' ? state.unanswered : '';
  return [{ ...state, agent: 'silent', afterSaying: 'listen', suspected: false, endCallRequested: false, unanswered }, [{ type: 'cut' }]];
}

function commit(state: TurnState, before: readonly TurnCommand[] = []): Step {
  const merged = state.unanswered !== '';
  const text = merged ? `${state.unanswered} ${state.text}` : state.text;
  return [
    {
      ...state,
      agent: 'generating',
      text: '',
      unanswered: text,
      turns: merged ? state.turns : state.turns + 1,
      reminders: 0,
      endCallRequested: false,
    },
    [...before, { type: 'close_utterance' }, { type: 'caller_turn', text, merged }, { type: 'reply' }],
  ];
}

function agentFinished(state: TurnState, endCall: boolean, options: TurnOptions): Step {
  if (state.ending !== null) return end(state, state.ending);
  if (endCall) return end(state, { disposition: 'completed', reason: 'end_call' });
  const undisturbed = !state.callerSpeaking && !state.awaitingTranscript && state.text === '';
  if (state.afterSaying === 'transfer' && state.transferTo !== null && undisturbed) {
    const commands: TurnCommand[] = [
      { type: 'clear_timer', name: 'max_duration' },
      { type: 'transfer', to: state.transferTo },
    ];
    return [{ ...state, afterSaying: 'listen', transferring: true }, commands];
  }
  // The last word and the caller's first crossed: a pause left on would mute whatever is said next.
  const before: TurnCommand[] = state.suspected ? [{ type: 'clear_timer', name: 'barge_in' }, { type: 'resume' }] : [];
  const [next, commands] = afterAgent({ ...state, agent: 'silent', afterSaying: 'listen', suspected: false }, state.afterSaying, options);
  return [next, [...before, ...commands]];
}

function afterAgent(quiet: TurnState, afterSaying: TurnState['afterSaying'], options: TurnOptions): Step {
  if (afterSaying === 'retry') return [{ ...quiet, agent: 'generating' }, [{ type: 'reply' }]];
  const answered: TurnState = { ...quiet, unanswered: '', replyFailures: 0 };
  if (quiet.turns >= options.maxTurns) return goodbye(answered, 'max_turns_goodbye', { disposition: 'max_turns', reason: 'max_turns' });
  if (quiet.callerSpeaking || quiet.awaitingTranscript || quiet.text !== '') return [answered, []];
  return [answered, [{ type: 'set_timer', name: 'silence', afterMs: options.silenceReminderMs }]];
}

function replyFailed(state: TurnState, stage: 'llm' | 'tts', options: TurnOptions): Step {
  const replyFailures = state.replyFailures + 1;
  if (replyFailures >= options.maxFailures) {
    return goodbye({ ...state, replyFailures }, 'error_goodbye', { disposition: 'error', reason: `${stage}_failed` });
  }
  const [next, commands] = say(
    { ...state, replyFailures, endCallRequested: false },
    stage === 'llm' ? 'technical_difficulty' : 'audio_issues',
  );
  // An operator's sentence that could not be spoken waits for no answer.
  return [{ ...next, afterSaying: state.unanswered === '' ? 'listen' : 'retry' }, commands];
}

function timer(state: TurnState, name: TimerName, options: TurnOptions): Step {
  switch (name) {
    case 'barge_in':
      return state.suspected && state.callerSpeaking ? interrupt(state) : [state, []];
    case 'end_of_turn':
      return state.callerSpeaking || state.text === '' ? [state, []] : commit(state);
    case 'max_duration':
      return goodbye(state, 'max_duration_goodbye', { disposition: 'max_duration', reason: 'max_duration' });
    case 'lost_words':
      return state.wordsLost && !state.callerSpeaking ? askAgain(state) : [state, []];
    case 'dead_air':
      return fillSilence(state, options);
    case 'silence':
      if (state.agent !== 'silent' || state.callerSpeaking || state.awaitingTranscript) return [state, []];
      if (state.reminders >= options.maxReminders)
        return goodbye(state, 'no_input_goodbye', { disposition: 'no_input', reason: 'silence' });
      return say({ ...state, reminders: state.reminders + 1 }, 'still_there');
  }
}

function say(state: TurnState, phrase: Phrase, before: readonly TurnCommand[] = []): Step {
  return [
    { ...state, agent: 'talking', afterSaying: 'listen' },
    [...before, { type: 'clear_timer', name: 'silence' }, { type: 'say', phrase }],
  ];
}

/** The last thing said; a phrase or reply in progress is cut for it. */
function goodbye(state: TurnState, phrase: Phrase, ending: Ending): Step {
  const before: TurnCommand[] = state.agent === 'silent' ? [] : [{ type: 'cut' }];
  const [next, commands] = say({ ...state, suspected: false, text: '' }, phrase, [
    ...before,
    { type: 'clear_timer', name: 'end_of_turn' },
    { type: 'close_utterance' },
  ]);
  return [{ ...next, ending }, commands];
}

/** What a call came to whose caller hung up. */
export function hangupEnding(state: TurnState): Ending {
  if (state.endCallRequested) return { disposition: 'completed', reason: 'hangup_at_goodbye' };
  return { disposition: state.turns > 0 ? 'caller_hangup' : 'abandoned', reason: 'hangup' };
}

function end(state: TurnState, ending: Ending): Step {
  return [{ ...state, ended: true, agent: 'silent', ending }, [{ type: 'end', ...ending }]];
}

/** Whose move it is, for a node that may have to go on from here. */
export function floorOf(state: TurnState): ResumedTalk['floor'] {
  // Words that are being spoken, or transcribed, are lost with this node.
  if (state.callerSpeaking || state.awaitingTranscript || state.wordsLost) return 'caller';
  if (state.agent === 'generating') return 'thinking';
  return state.agent === 'talking' ? 'agent' : 'nobody';
}

/** Its words are in no voice. The goodbye may be in the cache; when even that is not, the PBX has to speak. */
function voiceLost(state: TurnState): Step {
  const { ending } = state;
  if (ending === null) return goodbye(state, 'error_goodbye', { disposition: 'error', reason: 'tts_failed' });
  return end(state, { ...ending, reason: 'voice_lost' });
}

/** What an operator reads. */
export function callStateOf(state: TurnState): CallState {
  if (state.ended) return 'ended';
  if (state.transferring) return 'transferring';
  if (state.ending !== null || state.endCallRequested) return 'closing';
  if (state.agent === 'generating') return 'thinking';
  if (state.agent === 'silent') return 'listening';
  return state.turns === 0 && state.reminders === 0 ? 'greeting' : 'speaking';
}
