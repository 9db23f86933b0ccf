/** The scripted caller on a real line: feeds what is heard into the script, and does what it says. */
import type { Carrier } from './carrier.ts';
import type { CallOptions, CarrierCall } from './carrier-call.ts';
import { createListener } from './hear.ts';
import { advance, startScript, waitsForWords } from './script.ts';
import type { ScriptCommand, ScriptEvent, Step } from './script-steps.ts';
import { LINE_RATE } from './voice-line.ts';

export interface AgentWords {
  readonly text: string;
  /** Wall clock of its first audio. */
  readonly startedAtMs: number;
}

export interface WordSource {
  /** The caller waits for words: new ones are to be read soon. Cheap to repeat. */
  ask(): void;
  stop(): void;
}

export interface CallerOptions extends Omit<CallOptions, 'onHeard'> {
  readonly carrier: Carrier;
  readonly script: readonly Step[];
  /** Where the agent's words come from as text. The energy alone carries a script without `expect`. */
  readonly words?: (onWords: (words: AgentWords) => void) => WordSource;
  readonly onMoment?: (moment: CallerMoment) => void;
  /** ~20 ms of 16 kHz PCM, silence of the line included; valid during the call only. */
  readonly onHeard?: (pcm: Int16Array) => void;
  /** The script has come to a `wait` of this name; it goes on when the promise resolves. */
  readonly onWait?: (name: string) => Promise<void>;
  /** The caller hangs up when it fires, whatever the script says. */
  readonly signal?: AbortSignal;
}

export type CallerMoment =
  | { readonly kind: 'answered'; readonly atMs: number }
  | { readonly kind: 'agent_on' | 'agent_off'; readonly atMs: number }
  | { readonly kind: 'spoken'; readonly atMs: number }
  | { readonly kind: 'say'; readonly atMs: number; readonly text: string; readonly interrupting: boolean };

export interface CallerResult {
  readonly call: CarrierCall;
  readonly answered: boolean;
  readonly said: readonly { readonly text: string; readonly atMs: number; readonly interrupting: boolean }[];
  /** Null when every expectation held. */
  readonly failure: string | null;
}

const TICK_MS = 50;
const DRY_LINE_MS = 100;
/** Two judgements' worth. */
const SILENCE = new Int16Array((LINE_RATE * 20) / 1_000);

/** Places the call and plays the script to its end; the call is over when this resolves. */
export async function callAndTalk(options: CallerOptions): Promise<CallerResult> {
  const { carrier, script, onMoment } = options;
  const listener = createListener(LINE_RATE);
  let lastHeardMs = 0;
  const said: { text: string; atMs: number; interrupting: boolean }[] = [];
  const finished = Promise.withResolvers<void>();
  // The agent may be heard a moment before the answer is reported.
  const early: ScriptEvent[] = [];
  let state = startScript(Date.now());
  let call: CarrierCall | null = null;

  const dispatch = (event: ScriptEvent): void => {
    if (call === null) return void early.push(event);
    const [next, commands] = advance(script, state, event);
    state = next;
    for (const command of commands) perform(command);
    if (state.outcome.done) finished.resolve();
  };
  const perform = (command: ScriptCommand): void => {
    if (call === null) return;
    if (command.do === 'hangup') return void call.hangup();
    if (command.do === 'waiting') {
      const { name } = command;
      return void (options.onWait?.(name) ?? Promise.resolve()).then(() => dispatch({ kind: 'go', atMs: Date.now(), name }));
    }
    if (command.do === 'dtmf') return void call.sendDtmf(command.digits).catch(() => undefined);
    const line = { text: command.text, atMs: Date.now(), interrupting: listener.speaking };
    said.push(line);
    onMoment?.({ kind: 'say', ...line });
    return void call.say(command.text).then(() => {
      onMoment?.({ kind: 'spoken', atMs: Date.now() });
      dispatch({ kind: 'spoken', atMs: Date.now() });
    });
  };

  const hear = (pcm: Int16Array): void => {
    lastHeardMs = Date.now();
    options.onHeard?.(pcm);
    for (const { kind } of listener.push(pcm)) {
      onMoment?.({ kind: `agent_${kind}`, atMs: Date.now() });
      dispatch({ kind: `agent_${kind}`, atMs: Date.now() });
    }
  };

  call = await carrier.placeCall({ ...options, onHeard: hear });
  if (call.answeredAtMs === null) return { call, answered: false, said, failure: 'the call was not answered' };
  onMoment?.({ kind: 'answered', atMs: call.answeredAtMs });
  state = startScript(call.answeredAtMs);
  early.forEach(dispatch);
  const source = options.words?.((words) => dispatch({ kind: 'agent_words', atMs: Date.now(), ...words }));
  const timer = setInterval(() => {
    // An agent that is cut off in the middle of a word sends nothing any more, not even silence.
    if (Date.now() - lastHeardMs > DRY_LINE_MS) hear(SILENCE);
    dispatch({ kind: 'tick', atMs: Date.now() });
    if (waitsForWords(state)) source?.ask();
  }, TICK_MS);
  void call.ended.then(() => dispatch({ kind: 'ended', atMs: Date.now() }));
  const giveUp = (): void => void call?.hangup();
  if (options.signal?.aborted === true) giveUp();
  options.signal?.addEventListener('abort', giveUp, { once: true });
  await finished.promise;
  clearInterval(timer);
  options.signal?.removeEventListener('abort', giveUp);
  source?.stop();
  // A no-op when the agent has done it already.
  await call.hangup();
  return { call, answered: true, said, failure: state.outcome.done ? state.outcome.failure : null };
}
