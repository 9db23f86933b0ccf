/**
 * The shell around the reducer: one conversation's ears, voice, timers and records, over one leg after
 * another. It decides nothing; every decision is takeTurn's, every word the caller hears is Voice's,
 * every word they say is Ears'. Where the caller's channel is, and whose, is Session's business.
 */
import type { CallPlan } from '../contracts/call-plan.ts';
import type { CallUsage, Checkpoint, ResumePoint, ToolRound } from '../contracts/checkpoint.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import { isTwilioChannel } from '../contracts/twilio.ts';
import type { CallState, Disposition } from '../domain/call.ts';
import type { ToolCall } from '../providers/ports.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import { brokenOff, checkpointOf, heardSoFar, nextSequenceOf, resumedTalk, sameStanding } from './checkpoints.ts';
import { clausesOf } from './clauses.ts';
import { Conversation } from './conversation.ts';
import { Ears } from './ears.ts';
import type { MediaLeg } from './legs/leg.ts';
import type { Outbox } from './outbox.ts';
import { warmVoice } from './phrases.ts';
import type { SessionDeps } from './session.ts';
import { Timers } from './timers.ts';
import { ToolDesk } from './tool-desk.ts';
import { TurnRecorder } from './turn-recorder.ts';
import {
  callStateOf,
  floorOf,
  initialTurnState,
  takeTurn,
  turnDefaults,
  type TurnCommand,
  type TurnEvent,
  type TurnOptions,
} from './turn-taking.ts';
import { UsageMeter } from './usage.ts';
import { Voice } from './voice.ts';

export type TalkEvent = TurnEvent extends infer E ? (E extends TurnEvent ? Omit<E, 'atMs'> : never) : never;

export interface TalkListener {
  /** @param at ISO 8601; after a take-over, when the call was answered first. */
  onAnswered(at: string): void;
  onTurn(turn: TurnRecord): void;
  onState(state: CallState): void;
  /** Where the talk stands has changed, or tools were called. */
  onMemory(checkpoint: Checkpoint, rounds: readonly ToolRound[]): void;
  onTransfer(to: string): void;
  onEnd(disposition: Disposition, reason: string): void;
}

export interface TalkOptions {
  readonly deps: SessionDeps;
  readonly plan: CallPlan;
  /** Where another node left off. */
  readonly resume: ResumePoint | null;
  readonly outbox: Outbox;
  readonly logger: Logger;
  readonly listener: TalkListener;
}

export class Talk {
  readonly tools: ToolDesk;
  readonly #options: TalkOptions;
  readonly #rules: TurnOptions;
  readonly #abort = new AbortController();
  readonly #usage: UsageMeter;
  readonly #conversation: Conversation;
  readonly #timers = new Timers();
  #ears: Ears | null = null;
  #voice: Voice | null = null;
  #recorder: TurnRecorder | null = null;
  #state = initialTurnState;
  #queue: TurnEvent[] = [];
  #dispatching = false;
  #answeredMs = 0;
  #callerLatencies: TurnRecord['latencies'] = {};
  #shownState: CallState = 'connecting';
  /** Where this node, or a leg of it, took the talk up. */
  #takenUp: Checkpoint | null;
  #told: Checkpoint | null = null;

  constructor(options: TalkOptions) {
    this.#options = options;
    const { deps, plan, resume, outbox } = options;
    const rounds = resume?.rounds ?? [];
    this.#takenUp = resume?.checkpoint ?? null;
    this.#usage = new UsageMeter(resume?.checkpoint?.usage);
    this.tools = new ToolDesk({ emit: (event) => outbox.emit(event), timeoutMs: deps.limits.toolTimeoutMs, rounds });
    this.#conversation = new Conversation({
      systemPrompt: plan.agent.systemPrompt,
      transcript: plan.transcript,
      rounds,
      onTools: (round) => this.#toolsCalled(round),
    });
    this.#rules = {
      ...turnDefaults,
      maxTurns: plan.limits.maxTurns,
      maxDurationMs: plan.limits.maxDurationSeconds * 1_000,
      silenceReminderMs: plan.limits.silenceReminderMs,
      maxReminders: plan.limits.maxReminders,
    };
    // Synthesised while the channel is still being connected.
    const voice = { model: plan.models.tts, voice: plan.agent.voice, sampleRate: isTwilioChannel(plan.channelId) ? 8_000 : 16_000 };
    // The fixed sentences follow: when one is needed, the provider may be gone that would speak it.
    void deps.phrases.get({ ...voice, text: this.#firstWords() }).then(
      () => warmVoice(deps.phrases, voice),
      () => undefined,
    );
  }

  /** The caller was answered, by this node or a former one. */
  get begun(): boolean {
    return this.#recorder !== null;
  }

  /** The goodbye has begun. */
  get ending(): boolean {
    return this.#state.ending !== null;
  }

  get transferring(): boolean {
    return this.#state.transferring;
  }

  /** Nobody speaks, and nobody waits. */
  get quiet(): boolean {
    return this.begun && floorOf(this.#state) === 'nobody';
  }

  /** Caller turns so far. */
  get turns(): number {
    return this.#state.turns;
  }

  get usage(): CallUsage {
    return this.#usage.total();
  }

  hear(pcm: Int16Array): void {
    this.#ears?.hear(pcm);
  }

  /** A mark came back from the leg. */
  reached(id: string): void {
    this.#voice?.reached(id);
  }

  /** The caller is on this leg: greets them, or goes on where another node left off. */
  begin(leg: MediaLeg): void {
    const { listener } = this.#options;
    const point = this.#takenUp;
    const recorder = this.#record(point);
    this.useLeg(leg);
    listener.onAnswered(recorder.iso(0));
    if (point === null) this.dispatch({ type: 'connected' });
    else this.#resumeFrom(point);
  }

  /** The caller left before this node could go on: what they had heard of a sentence is still to be kept. */
  breakOff(): void {
    const point = this.#takenUp;
    const heard = point === null || this.begun ? null : heardSoFar(point);
    if (heard !== null) this.#record(point).agent(heard, this.#nowMs());
  }

  #record(point: Checkpoint | null): TurnRecorder {
    const { plan, resume, listener } = this.#options;
    const answeredAtMs = point === null ? Date.now() : Date.parse(point.answeredAt);
    this.#answeredMs = performance.now() - (Date.now() - answeredAtMs);
    this.#recorder = new TurnRecorder({
      answeredAtMs,
      first: nextSequenceOf(plan.transcript, resume),
      caller: plan.transcript.findLast((turn) => turn.speaker === 'caller')?.sequence ?? 0,
      keep: (turn) => listener.onTurn(turn),
    });
    return this.#recorder;
  }

  /** Ears and voice for a leg: the first one, or one after a transfer that failed. */
  useLeg(leg: MediaLeg): void {
    this.#ears = this.#earsFor(leg);
    this.#voice = this.#voiceFor(leg);
  }

  /** As another node would go on, but in the same talk: it stands where it stood when the former leg closed. */
  goOnOver(leg: MediaLeg): void {
    if (this.#recorder === null) return;
    const point = this.#standing(this.#recorder);
    this.#voice?.drop();
    this.#ears?.close();
    this.#timers.clearAll();
    this.#takenUp = point;
    this.useLeg(leg);
    this.#resumeFrom(point);
  }

  /** Nothing is heard until there is another leg. */
  deafen(): void {
    this.#ears?.close();
  }

  stop(): void {
    this.#voice?.cut();
    this.#abort.abort(new Error('call ended'));
    this.#timers.clearAll();
    this.#ears?.close();
    this.tools.close();
  }

  dispatch(event: TalkEvent): void {
    this.#queue.push({ ...event, atMs: this.#nowMs() });
    if (this.#dispatching) return;
    this.#dispatching = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const [state, commands] = takeTurn(this.#state, next, this.#rules);
      this.#state = state;
      for (const command of commands) this.#execute(command);
    }
    this.#dispatching = false;
    this.#showState();
    this.#remember();
  }

  #execute(command: TurnCommand): void {
    switch (command.type) {
      case 'say':
        return this.#voice?.say(command.phrase);
      case 'say_words':
        return this.#voice?.sayWords(command.text);
      case 'fill':
        return this.#voice?.fill(command.phrase);
      case 'reply':
        return this.#voice?.reply(this.#state.endCallRequested);
      case 'go_on':
        return this.#goOn();
      case 'cut':
        return this.#voice?.cut();
      case 'pause':
        return this.#voice?.pause();
      case 'resume':
        return this.#voice?.resume();
      case 'open_utterance':
        return this.#ears?.openUtterance();
      case 'close_utterance':
        return this.#ears?.closeUtterance();
      case 'transcribe':
        return void this.#transcribe(command.transcription);
      case 'caller_turn':
        return this.#callerTurn(command);
      case 'set_timer':
        return this.#timers.set(command.name, command.afterMs, () => this.dispatch({ type: 'timer', name: command.name }));
      case 'clear_timer':
        return this.#timers.clear(command.name);
      case 'transfer':
        return this.#options.listener.onTransfer(command.to);
      case 'end':
        return this.#options.listener.onEnd(command.disposition, command.reason);
    }
  }

  #earsFor(leg: MediaLeg): Ears {
    const { deps, plan } = this.#options;
    const { detector, providers, limits, timeouts } = deps;
    return new Ears({
      sampleRate: leg.sampleRate,
      detector,
      stt: providers.stt,
      model: plan.models.stt,
      language: plan.agent.language,
      policy: { retries: limits.providerRetries, timeoutMs: timeouts.sttTimeoutMs },
      now: () => this.#nowMs(),
      onEdge: (edge) => this.dispatch({ type: edge.type, sinceMs: edge.sinceMs }),
      signal: this.#abort.signal,
    });
  }

  #voiceFor(leg: MediaLeg): Voice {
    const { deps, plan, logger } = this.#options;
    const { providers, phrases, limits, timeouts } = deps;
    return new Voice({
      plan,
      leg,
      providers,
      phrases,
      conversation: this.#conversation,
      usage: this.#usage,
      policy: {
        retries: limits.providerRetries,
        llmTimeoutMs: timeouts.llmTimeoutMs,
        ttsTimeoutMs: timeouts.ttsTimeoutMs,
        maxTokens: limits.llmMaxTokens,
        maxCharacters: limits.replyMaxCharacters,
        maxTools: limits.toolsPerTurn,
      },
      runTool: (call: ToolCall) => this.tools.run(this.#state.turns, call),
      now: () => this.#nowMs(),
      speechEndedMs: () => this.#state.speechEndedMs,
      events: {
        onAudible: () => this.dispatch({ type: 'agent_audible' }),
        onQuiet: () => this.dispatch({ type: 'agent_quiet' }),
        onVoiceLost: () => this.dispatch({ type: 'voice_lost' }),
        onFinished: (endCall) => this.dispatch({ type: 'agent_finished', endCall }),
        onFailed: (stage, error) => {
          logger.warn({ event: 'reply_failed', stage, error: errorFacts(error) }, 'An answer could not be given');
          this.dispatch({ type: 'reply_failed', stage });
        },
        onEndCall: () => this.dispatch({ type: 'end_call_requested' }),
        onUtterance: (utterance) => this.#recorder?.agent(utterance, this.#nowMs()),
        onProgress: () => this.#remember(),
      },
    });
  }

  /** What this talk will most likely say first. */
  #firstWords(): string {
    const point = this.#takenUp;
    const speech = point?.floor === 'agent' ? point.speech : null;
    if (speech?.complete !== true) return this.#options.plan.agent.greeting;
    return clausesOf(speech.text.slice(speech.sentenceAt))[0] ?? '';
  }

  #resumeFrom(point: Checkpoint): void {
    const broken = brokenOff(point);
    if (broken !== null) {
      // Half a sentence would lead the model to go on with it; the caller is told it again.
      this.#conversation.agentSaid(broken.text.slice(0, point.speech?.sentenceAt).trim());
      this.#recorder?.agent(broken, this.#nowMs());
    }
    this.dispatch({ type: 'resumed', from: resumedTalk(point) });
  }

  #goOn(): void {
    const speech = this.#takenUp?.speech ?? null;
    if (speech === null || this.#recorder === null) return;
    const { startedAt, ...point } = speech;
    this.#voice?.goOn({ ...point, startedMs: this.#recorder.atMs(startedAt) });
  }

  /** Tells where the talk stands, when that has changed. */
  #remember(): void {
    // The pending event of a speech may be half-way: the checkpoint follows with its state.
    if (this.#dispatching || this.#recorder === null || this.#abort.signal.aborted) return;
    const checkpoint = this.#standing(this.#recorder);
    if (sameStanding(this.#told, checkpoint)) return;
    this.#told = checkpoint;
    const { outbox, listener } = this.#options;
    outbox.remember(checkpoint);
    listener.onMemory(checkpoint, outbox.rounds);
  }

  #standing({ next: nextSequence, iso }: TurnRecorder): Checkpoint {
    return checkpointOf({ state: this.#state, speech: this.#voice?.point() ?? null, nextSequence, usage: this.usage, iso });
  }

  #toolsCalled({ id, calls, results }: { id: number; calls: readonly ToolCall[]; results: ReadonlyMap<string, string> }): void {
    const { outbox, listener } = this.#options;
    const turn = this.#state.turns;
    const known = outbox.rounds.find((round) => round.id === id);
    const round: ToolRound = {
      id,
      turn: known?.turn ?? turn,
      before: known?.before ?? this.#recorder?.next ?? 0,
      calls: calls.map((call, index) => ({
        ...call,
        key: known?.calls[index]?.key ?? this.tools.keyOf(turn, call),
        result: results.get(call.id) ?? null,
      })),
    };
    outbox.rememberRound(round);
    if (this.#told !== null) listener.onMemory(this.#told, outbox.rounds);
  }

  async #transcribe(transcription: number): Promise<void> {
    const ears = this.#ears;
    if (ears === null) return;
    try {
      const { text, tookMs, seconds } = await ears.transcribe();
      this.#usage.audio(seconds);
      this.#callerLatencies = { sttMs: Math.round(tookMs) };
      if (this.#ears === ears) this.dispatch({ type: 'transcript', transcription, text });
    } catch (error) {
      if (this.#abort.signal.aborted || this.#ears !== ears) return;
      this.#options.logger.warn({ event: 'transcription_failed', error: errorFacts(error) }, 'The caller could not be understood');
      this.dispatch({ type: 'transcription_failed', transcription });
    }
  }

  #callerTurn({ text, merged }: { readonly text: string; readonly merged: boolean }): void {
    this.#conversation.callerSaid(text, merged);
    const { speechStartedMs: startedMs, speechEndedMs: endedMs } = this.#state;
    const latencies = { ...this.#callerLatencies, endOfTurnMs: Math.max(0, Math.round(this.#nowMs() - endedMs)) };
    this.#recorder?.caller({ text, merged, startedMs, endedMs, latencies });
  }

  #showState(): void {
    const state = callStateOf(this.#state);
    // `ended` is told by the event of that name, which is the last one.
    if (state === this.#shownState || state === 'ended') return;
    this.#shownState = state;
    this.#options.listener.onState(state);
  }

  /** Since the call was answered. */
  #nowMs(): number {
    return performance.now() - this.#answeredMs;
  }
}
