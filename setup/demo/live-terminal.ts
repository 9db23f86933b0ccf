/**
 * The conversation as it happens, one line per utterance in the order in which they began. The
 * agent's words arrive as text after its voice was heard, so a line waits for its words, and later
 * lines wait behind it. Pure: moments in, finished lines out.
 */

export interface TalkLine {
  readonly who: 'caller' | 'agent';
  /** Since the answer. */
  readonly atMs: number;
  readonly text: string;
  /** Agent: since the caller's last word, as heard by the caller; null where it does not apply. */
  readonly latencyMs: number | null;
  /** Caller: began while the agent was speaking. Agent: was cut off. */
  readonly interrupted: boolean;
}

type Pending = { who: 'caller' | 'agent'; atMs: number; text: string | null; latencyMs: number | null; interrupted: boolean };

/** Words that never come (nobody reads them from the API) hold up the rest no longer than this. */
const WORDS_TIMEOUT_MS = 4_000;
/** How far the far side's clock and ours may disagree about where an utterance began. */
const SAME_UTTERANCE_MS = 1_500;

export class TalkLines {
  #pending: Pending[] = [];
  #agentSpeaking = false;
  #quietSinceMs = 0;
  /** End of the caller's last line while it has no answer; the greeting answers the start of the call. */
  #unansweredMs: number | null = 0;

  callerSays(text: string, atMs: number, interrupting: boolean): void {
    this.#unansweredMs = null;
    this.#pending.push({ who: 'caller', atMs, text, latencyMs: null, interrupted: interrupting });
  }

  callerFinished(atMs: number): void {
    this.#unansweredMs = atMs;
  }

  agentOn(atMs: number): void {
    this.#agentSpeaking = true;
    if (this.#unansweredMs === null) return;
    this.#pending.push({ who: 'agent', atMs, text: null, latencyMs: Math.round(atMs - this.#unansweredMs), interrupted: false });
    this.#unansweredMs = null;
  }

  agentOff(atMs: number): void {
    this.#agentSpeaking = false;
    this.#quietSinceMs = atMs;
  }

  agentWords(text: string, startedAtMs: number, interrupted: boolean): void {
    const waiting = this.#pending.find(
      (line) => line.who === 'agent' && line.text === null && Math.abs(line.atMs - startedAtMs) < SAME_UTTERANCE_MS,
    );
    if (waiting !== undefined) Object.assign(waiting, { text, interrupted });
    else this.#pending.push({ who: 'agent', atMs: startedAtMs, text, latencyMs: null, interrupted });
  }

  /** Lines that are complete and next in order; with `everything`, those still without words too. */
  take(nowMs: number, everything = false): TalkLine[] {
    const wordsMayCome = !everything && (this.#agentSpeaking || nowMs - this.#quietSinceMs < WORDS_TIMEOUT_MS);
    this.#pending.sort((a, b) => a.atMs - b.atMs);
    const blocked = wordsMayCome ? this.#pending.findIndex((line) => line.text === null) : -1;
    const ready = this.#pending.splice(0, blocked < 0 ? this.#pending.length : blocked);
    return ready.map((line) => ({ ...line, text: line.text ?? '…' }));
  }
}

const paint = (colour: boolean, code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

/** `  0:07.3  Caller ⟂ I would like …` */
export function formatTalkLine(line: TalkLine, colour: boolean): string {
  const seconds = line.atMs / 1_000;
  const clock = `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
  const who = line.who === 'caller' ? paint(colour, '36', 'Caller') : paint(colour, '32', 'Agent ');
  const mark = line.who === 'caller' && line.interrupted ? paint(colour, '33', '⟂') : ' ';
  const cut = line.who === 'agent' && line.interrupted ? ' ⟂' : '';
  const latency = line.latencyMs === null ? '' : `  ${paint(colour, '2', `${line.latencyMs} ms`)}`;
  return `  ${clock.padStart(6)}  ${who} ${mark} ${line.text}${cut}${latency}`;
}
