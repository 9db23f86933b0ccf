/** Where a talk stands ⇄ what the reducer needs to go on from there. Pure. */
import type { CallUsage, Checkpoint, ResumePoint } from '../contracts/checkpoint.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import { floorOf, type ResumedTalk, type TurnState } from './turn-taking.ts';
import type { AgentUtterance, VoicePoint } from './voice.ts';

export interface TalkNow {
  readonly state: TurnState;
  readonly speech: VoicePoint | null;
  readonly nextSequence: number;
  readonly usage: CallUsage;
  /** ms since the call was answered → ISO 8601. */
  readonly iso: (atMs: number) => string;
}

export function checkpointOf({ state, speech, nextSequence, usage, iso }: TalkNow): Checkpoint {
  const { afterSaying, text, unanswered, turns, reminders, endCallRequested, ending } = state;
  const { toSay, transferTo, steered, transferring } = state;
  const { startedMs, ...point } = speech ?? { startedMs: 0 };
  return {
    answeredAt: iso(0),
    floor: floorOf(state),
    speech: speech === null ? null : { ...(point as Omit<VoicePoint, 'startedMs'>), startedAt: iso(startedMs) },
    afterSaying,
    text,
    unanswered,
    turns,
    reminders,
    endCallRequested,
    ending,
    toSay: [...toSay],
    transferTo,
    steered: [...steered],
    transferring,
    nextSequence,
    usage,
  };
}

/** Usage alone is no reason to tell where a talk stands; nor is each word of a sentence that would be said again. */
export function sameStanding(a: Checkpoint | null, b: Checkpoint): boolean {
  return a !== null && JSON.stringify(whatMatters(a)) === JSON.stringify(whatMatters(b));
}

function whatMatters({ speech, ...rest }: Checkpoint): unknown {
  return { ...rest, speech: speech?.complete === true ? { ...speech, heardTo: 0 } : speech, usage: null };
}

export function resumedTalk(checkpoint: Checkpoint): ResumedTalk {
  const { floor, speech, afterSaying, text, unanswered, turns, reminders, endCallRequested, ending } = checkpoint;
  const { toSay, transferTo, steered } = checkpoint;
  const speechKnown = speech?.complete === true && speech.text.length > speech.sentenceAt;
  if (checkpoint.transferring)
    return { ...resumedTalk({ ...checkpoint, transferring: false, transferTo: null, speech: null }), floor: 'nobody' };
  const operators = { toSay, transferTo, steered };
  return { floor, speechKnown, afterSaying, text, unanswered, turns, reminders, endCallRequested, ending, ...operators };
}

/** What the caller heard of a sentence that will not be finished; null when there was none, or it will be. */
export function brokenOff(checkpoint: Checkpoint): AgentUtterance | null {
  return checkpoint.floor === 'agent' && resumedTalk(checkpoint).speechKnown ? null : heardSoFar(checkpoint);
}

/** What the caller heard of the sentence that was being said; null when there was none, or nothing was heard of it. */
export function heardSoFar({ speech, answeredAt }: Checkpoint): AgentUtterance | null {
  if (speech === null || !speech.audible) return null;
  const heardText = speech.text.slice(0, Math.max(speech.sentenceAt, speech.heardTo)).trim();
  if (heardText === '') return null;
  return {
    text: speech.text,
    heardText,
    interrupted: true,
    startedMs: Date.parse(speech.startedAt) - Date.parse(answeredAt),
    latencies: {},
  };
}

/** First free sequence: a turn may have been told after the checkpoint. */
export function nextSequenceOf(transcript: readonly TurnRecord[], resume: ResumePoint | null): number {
  const known = transcript.reduce((next, turn) => Math.max(next, turn.sequence + 1), 0);
  return Math.max(known, resume?.checkpoint?.nextSequence ?? 0);
}
