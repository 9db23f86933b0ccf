/** The agent's side: one speech at a time, a fixed phrase or a reply, and the record of what was heard of it. */
import { HoldfastError } from '../domain/errors.ts';
import type { CallPlan } from '../contracts/call-plan.ts';
import type { SpeechPoint } from '../contracts/checkpoint.ts';
import type { ToolResult } from '../contracts/media-control.ts';
import type { TurnLatencies } from '../contracts/turn.ts';
import type { Providers, ToolCall } from '../providers/ports.ts';
import { clausesOf } from './clauses.ts';
import type { Conversation } from './conversation.ts';
import type { MediaLeg } from './legs/leg.ts';
import type { PhraseAudio, PhraseRequest } from './phrase-audio.ts';
import { phraseText } from './phrases.ts';
import { Playback } from './playback.ts';
import { speakClause, speakReply, type Reply, type ReplyContext, type ReplyPolicy } from './reply.ts';
import { sentenceStart } from './sentences.ts';
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
  /** All that was given to the caller is heard, and the speech is not over. */
  onQuiet(): void;
  /** A fixed sentence cannot be spoken in any voice. */
  onVoiceLost(): void;
  onFinished(endCall: boolean): void;
  onFailed(stage: 'llm' | 'tts', error: HoldfastError): void;
  onEndCall(): void;
  /** Before onFinished, and at a cut that was heard. */
  onUtterance(utterance: AgentUtterance): void;
  /** Where the present speech stands has changed; see Voice.point. */
  onProgress(): void;
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
  /** What the caller heard of it from a former node. */
  readonly heardBefore: string;
  /** All of it, when that is known from the start. */
  readonly whole: string | null;
  audibleMs: number | null;
  complete: boolean;
}

/** A speech's point that is worth telling: it changes with the sentence, not with every mark. */
export type VoicePoint = Omit<SpeechPoint, 'startedAt'> & { readonly startedMs: number };

export class Voice {
  readonly #options: VoiceOptions;
  readonly #playback: Playback;
  #speech: Speech | null = null;

  constructor(options: VoiceOptions) {
    this.#options = options;
    this.#playback = new Playback(options.leg, {
      onAudible: () => this.#audible(),
      onQuiet: () => options.events.onQuiet(),
      onProgress: () => options.events.onProgress(),
    });
  }

  say(phrase: Phrase): void {
    const { plan, phrases, events } = this.#options;
    const text = phrase === 'greeting' ? plan.agent.greeting : phraseText[phrase];
    this.#start({ isReply: false, whole: text }, async (speech) => {
      const segment = this.#playback.segment(text);
      const audio = await phrases.soon(this.#phraseRequest(text)).catch(() => null);
      if (speech.abort.signal.aborted) return;
      if (audio === null) return events.onVoiceLost();
      segment.write(audio);
      segment.finish();
    });
  }

  /** An operator's words, sentence by sentence. */
  sayWords(text: string): void {
    this.goOn({
      text,
      complete: true,
      sentenceAt: 0,
      heardTo: 0,
      isReply: false,
      endCall: false,
      startedMs: this.#options.now(),
      audible: false,
    });
  }

  /** Into a silence: from what is synthesised already or not at all, and without stopping the speech that is on its way. */
  fill(phrase: Exclude<Phrase, 'greeting'>): void {
    const { phrases, events, now } = this.#options;
    const text = phraseText[phrase];
    const audio = phrases.ready(this.#phraseRequest(text));
    if (audio === null) return;
    const startedMs = now();
    // No part of the answer, and nothing that the model has to know; but the caller did hear it.
    this.#playback.fill(audio, () => events.onUtterance({ text, heardText: text, interrupted: false, startedMs, latencies: {} }));
  }

  /** @param endCall the tool that ends the call was called already, before a take-over. */
  reply(endCall: boolean): void {
    this.#start({ isReply: true, endCall }, (speech) => speakReply(this.#context(speech), speech.reply));
  }

  /** Goes on with what a former node was saying, from the beginning of the sentence that the caller last heard. */
  goOn(point: VoicePoint): void {
    const { text, sentenceAt, isReply, endCall, startedMs, audible } = point;
    const heardBefore = text.slice(0, sentenceAt).trim();
    const speech = { isReply, endCall, heardBefore, whole: text, audibleMs: audible ? startedMs : null };
    this.#start(speech, async (started) => {
      const [first = '', ...rest] = clausesOf(text.slice(sentenceAt));
      await this.#sayFirst(first, started);
      for (const clause of rest) await speakClause(this.#context(started), started.reply, clause);
    });
  }

  /** Where the present speech stands; null in silence. */
  point(): VoicePoint | null {
    const speech = this.#speech;
    if (speech === null) return null;
    const { endCall } = speech.reply;
    const text = speech.whole ?? speech.reply.text;
    const heard = joined(speech.heardBefore, this.#playback.heardText());
    return {
      isReply: speech.isReply,
      text,
      complete: speech.complete || speech.whole !== null,
      sentenceAt: sentenceStart(text, heard.length),
      heardTo: heard.length,
      audible: speech.audibleMs !== null,
      startedMs: speech.audibleMs ?? this.#options.now(),
      endCall,
    };
  }

  /** Stops at once; what was heard is recorded. */
  cut(): void {
    const speech = this.#speech;
    if (speech === null) return this.#playback.hush();
    speech.abort.abort(new Error('cut'));
    this.#speech = null;
    this.#record(speech, true);
    this.#playback.cut();
  }

  /** Says no more and records nothing: what is being said goes on elsewhere, see goOn. */
  drop(): void {
    this.#speech?.abort.abort(new Error('dropped'));
    this.#speech = null;
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

  /** Asked for when the speech began elsewhere: its audio is on its way before there is a leg to play it. */
  async #sayFirst(clause: string, speech: Speech): Promise<void> {
    const segment = this.#playback.segment(clause);
    const audio = await this.#options.phrases.get(this.#phraseRequest(clause)).catch(() => null);
    if (speech.abort.signal.aborted) return;
    if (audio !== null) segment.write(audio);
    segment.finish();
  }

  #phraseRequest(text: string): PhraseRequest {
    const { plan, leg } = this.#options;
    return { text, model: plan.models.tts, voice: plan.agent.voice, sampleRate: leg.sampleRate };
  }

  #context(speech: Speech): ReplyContext {
    const { leg, events } = this.#options;
    return {
      ...this.#options,
      playback: this.#playback,
      sampleRate: leg.sampleRate,
      onEndCall: () => events.onEndCall(),
      signal: speech.abort.signal,
    };
  }

  #start(kind: SpeechKind, speak: (speech: Speech) => Promise<void>): void {
    // A filler before it is heard to its end.
    if (this.#speech !== null) this.cut();
    const { isReply, endCall = false, heardBefore = '', whole = null, audibleMs = null } = kind;
    const reply: Reply = { text: '', firstSegment: 0, endCall, latencies: {} };
    const speech: Speech = { abort: new AbortController(), reply, isReply, heardBefore, whole, audibleMs, complete: false };
    this.#speech = speech;
    this.#playback.begin();
    void speak(speech).then(
      () => {
        speech.complete = true;
        if (this.#speech === speech) this.#options.events.onProgress();
        return this.#playback.drained().then(() => this.#finished(speech));
      },
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
    const first = speech.audibleMs === null;
    speech.audibleMs ??= this.#options.now();
    if (speech.isReply && first)
      speech.reply.latencies.responseMs = Math.max(0, Math.round(speech.audibleMs - this.#options.speechEndedMs()));
    this.#options.events.onAudible();
  }

  #record(speech: Speech, interrupted: boolean): void {
    const heardText = joined(speech.heardBefore, this.#playback.heardText());
    if (heardText === '') return;
    const heardSinceTools = speech.heardBefore === '' ? this.#playback.heardText(speech.reply.firstSegment) : heardText;
    this.#options.conversation.agentSaid(heardSinceTools);
    this.#options.events.onUtterance({
      text: speech.whole ?? speech.reply.text,
      heardText,
      interrupted,
      startedMs: speech.audibleMs ?? this.#options.now(),
      latencies: speech.reply.latencies,
    });
  }
}

interface SpeechKind {
  readonly isReply: boolean;
  readonly endCall?: boolean;
  readonly heardBefore?: string;
  readonly whole?: string;
  readonly audibleMs?: number | null;
}

function joined(before: string, after: string): string {
  return before === '' || after === '' ? before + after : `${before} ${after}`;
}
