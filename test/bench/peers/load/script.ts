/**
 * What a caller does, one 20 ms frame after the other: a second of silence, the turns, and a barge-in
 * whose words are a turn of their own. A generator: it yields what the next frame carries, and is told
 * when that was sent. It reads what has come in meanwhile from the meter, and no clock.
 */
import { ReplyMeter } from './reply-meter.ts';

export interface TurnResult {
  readonly caller: number;
  readonly turn: number;
  readonly kind: 'turn' | 'barge_in' | 'after_barge_in';
  /** Last frame of speech sent → first frame of the reply; of a barge-in, its first frame → clear. null: it failed. */
  readonly latencyMs: number | null;
  readonly failure: string | null;
  /** The reply began while the caller was still speaking. */
  readonly early: boolean;
  readonly audioMs: number;
  readonly underruns: number;
  readonly underrunMs: number;
}

export interface Conversation {
  readonly caller: number;
  readonly turns: number;
  readonly bargeIns: number;
  /** Frames of the caller's sentence. */
  readonly speech: readonly string[];
  readonly silence: () => string;
  readonly meter: ReplyMeter;
  /** Why the line is down; null while it is up. */
  readonly lost: () => string | null;
  readonly onResult: (result: TurnResult) => void;
}

/** Yields a payload; is resumed with the moment at which it was sent. */
export type Frames<Result = void> = Generator<string, Result, number>;

const BEFORE_FIRST_TURN_FRAMES = 50;
/** A reply that has not begun by then is none. */
const REPLY_WITHIN_MS = 8_000;
/** Without a frame, and with nothing left to play, for so long: the reply is over. */
const QUIET_MS = 900;
/** So much of a reply is listened to before it is interrupted. */
const BARGE_IN_AFTER_MS = 1_000;

export function* converse(talk: Conversation): Frames {
  for (let n = 0; n < BEFORE_FIRST_TURN_FRAMES; n++) yield talk.silence();
  for (let turn = 0; turn < talk.turns && talk.lost() === null; turn++) {
    talk.meter.reset();
    const { lastMs } = yield* speak(talk);
    yield* reply(talk, { turn, kind: 'turn', lastMs });
  }
  for (let n = 0; n < talk.bargeIns && talk.lost() === null; n++) {
    if (!(yield* bargeIn(talk, talk.turns + n))) return;
  }
}

/** @returns false when there was nothing to interrupt. */
function* bargeIn(talk: Conversation, turn: number): Frames<boolean> {
  const { meter } = talk;
  meter.reset();
  const before = yield* firstFrame(talk, (yield* speak(talk)).lastMs);
  if (typeof before === 'string') {
    talk.onResult(resultOf(talk, { turn, kind: 'barge_in', failure: `no reply to interrupt: ${before}` }));
    return false;
  }
  const from = yield talk.silence();
  for (let nowMs = from; nowMs - from < BARGE_IN_AFTER_MS;) nowMs = yield talk.silence();
  meter.clearedMs = null;
  const { firstMs, lastMs } = yield* speak(talk);
  const latencyMs = meter.clearedMs === null ? null : (meter.clearedMs as number) - firstMs;
  const failure = latencyMs === null ? 'no clear' : null;
  talk.onResult(resultOf(talk, { turn, kind: 'barge_in', latencyMs, failure }));
  meter.reset();
  yield* reply(talk, { turn, kind: 'after_barge_in', lastMs });
  return true;
}

function* speak(talk: Conversation): Frames<{ firstMs: number; lastMs: number }> {
  let [firstMs, lastMs] = [0, 0];
  for (const [n, frame] of talk.speech.entries()) {
    lastMs = yield frame;
    if (n === 0) firstMs = lastMs;
  }
  return { firstMs, lastMs };
}

/** Waits for the reply and listens to its end. */
function* reply(talk: Conversation, about: Pick<TurnResult, 'turn' | 'kind'> & { lastMs: number }): Frames {
  const { meter } = talk;
  const { turn, kind, lastMs } = about;
  const early = meter.firstMs !== null && meter.firstMs < lastMs;
  const latency = yield* firstFrame(talk, lastMs);
  if (typeof latency === 'string') return talk.onResult(resultOf(talk, { turn, kind, early, failure: latency }));
  // A reply that began before the question had ended is no answer to it.
  if (latency < 0) return talk.onResult(resultOf(talk, { turn, kind, early, failure: 'early reply' }));
  for (let nowMs = lastMs; meter.quietFor(nowMs) <= QUIET_MS && talk.lost() === null;) nowMs = yield talk.silence();
  talk.onResult(resultOf(talk, { turn, kind, early, latencyMs: latency }));
}

/** @returns ms since the last frame of speech, or what went wrong. */
function* firstFrame(talk: Conversation, lastMs: number): Frames<number | string> {
  for (;;) {
    const nowMs = yield talk.silence();
    if (talk.meter.firstMs !== null) return talk.meter.firstMs - lastMs;
    const lost = talk.lost();
    if (lost !== null) return lost;
    if (nowMs - lastMs > REPLY_WITHIN_MS) return 'timeout';
  }
}

type Facts = Pick<TurnResult, 'turn' | 'kind'> & Partial<TurnResult>;

function resultOf({ caller, meter }: Pick<Conversation, 'caller' | 'meter'>, facts: Facts): TurnResult {
  const { audioMs, underruns, underrunMs } = meter;
  return { caller, latencyMs: null, failure: null, early: false, audioMs, underruns, underrunMs, ...facts };
}

/** A turn that was never tried. */
export const unreached = (caller: number, turn: number, failure: string): TurnResult =>
  resultOf({ caller, meter: new ReplyMeter() }, { turn, kind: 'turn', failure });
