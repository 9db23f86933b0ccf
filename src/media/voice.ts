/** The agent's side: one speech at a time, a fixed phrase or a reply, and the record of what was heard of it. */
import { HoldfastError } from '../domain/errors.ts';
import type { CallPlan } from '../contracts/call-plan.ts';
import type { ToolResult } from '../contracts/media-control.ts';
import type { TurnLatencies } from '../contracts/turn.ts';
import type { Providers, ToolCall } from '../providers/ports.ts';
import type { Conversation } from './conversation.ts';
import type { MediaLeg } from './legs/leg.ts';
import type { PhraseAudio } from './phrase-audio.ts';
import { phraseText } from './phrases.ts';
import { Playback } from './playback.ts';
import { speakReply, type Reply, type ReplyPolicy } from './reply.ts';
import type { Phrase } from './turn-taking.ts';
import type { UsageMeter } from './usage.ts';

/** One agent utterance, finished or cut. */
export interface AgentUtterance {
  readonly text: string;
  readonly heardText: string;
  readonly interrupted: boolean;
  /** ms since the call was answered. */
  readonly startedMs: number;
  readonly latencies: TurnLatencies;
}

export interface VoiceEvents {
  onAudible(): void;
  onFinished(endCall: boolean): void;
  onFailed(stage: 'llm' | 'tts', error: HoldfastError): void;
  onEndCall(): void;
  /** Before onFinished, and at a cut that was heard. */
  onUtterance(utterance: AgentUtterance): void;
}

export interface VoiceOptions {
  readonly plan: CallPlan;
  readonly leg: MediaLeg;
  readonly providers: Providers;
  readonly phrases: PhraseAudio;
  readonly conversation: Conversation;
  readonly policy: ReplyPolicy;
  readonly usage: UsageMeter;
  readonly runTool: (call: ToolCall) => Promise<ToolResult>;
  readonly now: () => number;
  /** When the caller's last words truly ended: answers are timed from there. */
  readonly speechEndedMs: () => number;
  readonly events: VoiceEvents;
}

interface Speech {
  readonly abort: AbortController;
  readonly reply: Reply;
  readonly isReply: boolean;
  audibleMs: number | null;
}

export class Voice {
  readonly #options: VoiceOptions;
  readonly #playback: Playback;
  #speech: Speech | null = null;

  constructor(options: VoiceOptions) {
    this.#options = options;
    this.#playback = new Playback(options.leg, () => this.#audible());
  }

  say(phrase: Phrase): void {
    const { plan, phrases, leg } = this.#options;
    const text = phrase === 'greeting' ? plan.agent.greeting : phraseText[phrase];
    this.#start(false, async (speech) => {
      speech.reply.text = text;
      const segment = this.#playback.segment(text);
      const audio = await phrases
        .get({ text, model: plan.models.tts, voice: plan.agent.voice, sampleRate: leg.sampleRate })
        .catch(() => null);
      if (speech.abort.signal.aborted) return;
      // A phrase that cannot be spoken is skipped: the call goes on without it.
      if (audio !== null) segment.write(audio);
      segment.finish();
    });
  }

  reply(): void {
    const { leg, events } = this.#options;
    this.#start(true, (speech) =>
      speakReply(
        {
          ...this.#options,
          playback: this.#playback,
          sampleRate: leg.sampleRate,
          onEndCall: () => events.onEndCall(),
          signal: speech.abort.signal,
        },
        speech.reply,
      ),
    );
  }

  /** Stops at once; what was heard is recorded. */
  cut(): void {
    const speech = this.#speech;
    if (speech === null) return;
    speech.abort.abort(new Error('cut'));
    this.#speech = null;
    this.#record(speech, true);
    this.#playback.cut();
  }

  pause(): void {
    this.#options.leg.pause();
  }

  resume(): void {
    this.#options.leg.resume();
  }

  /** A mark came back from the leg. */
  reached(id: string): void {
    this.#playback.reached(id);
  }

  #start(isReply: boolean, speak: (speech: Speech) => Promise<void>): void {
    this.cut();
    const reply: Reply = { text: '', firstSegment: 0, endCall: false, latencies: {} };
    const speech: Speech = { abort: new AbortController(), reply, isReply, audibleMs: null };
    this.#speech = speech;
    this.#playback.begin();
    void speak(speech).then(
      () => this.#playback.drained().then(() => this.#finished(speech)),
      (error: unknown) => this.#failed(speech, error),
    );
  }

  #finished(speech: Speech): void {
    if (this.#speech !== speech) return;
    this.#speech = null;
    this.#record(speech, false);
    this.#options.events.onFinished(speech.reply.endCall);
  }

  #failed(speech: Speech, error: unknown): void {
    if (this.#speech !== speech) return;
    // What is queued already is cut with the rest: a half sentence followed by an apology is heard as one.
    this.cut();
    const failure = error instanceof HoldfastError ? error : new HoldfastError('internal', 'The reply failed', { cause: error });
    this.#options.events.onFailed(failure.code === 'tts_failed' ? 'tts' : 'llm', failure);
  }

  #audible(): void {
    const speech = this.#speech;
    if (speech === null) return;
    speech.audibleMs = this.#options.now();
    if (speech.isReply) speech.reply.latencies.responseMs = Math.max(0, Math.round(speech.audibleMs - this.#options.speechEndedMs()));
    this.#options.events.onAudible();
  }

  #record(speech: Speech, interrupted: boolean): void {
    const heardText = this.#playback.heardText();
    if (heardText === '') return;
    const heardSinceTools = this.#playback.heardText(speech.reply.firstSegment);
    this.#options.conversation.agentSaid(heardSinceTools);
    this.#options.events.onUtterance({
      text: speech.reply.text,
      heardText,
      interrupted,
      startedMs: speech.audibleMs ?? this.#options.now(),
      latencies: speech.reply.latencies,
    });
  }
}
