/**
 * The shell around the reducer: one call's sockets, timers and records. It decides nothing; every
 * decision is takeTurn's, every word the caller hears is Voice's, every word they say is Ears'.
 */
import type { CallPlan } from '../contracts/call-plan.ts';
import type { CallEvent, NodeMessage, ToolResult } from '../contracts/media-control.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import type { Disposition } from '../domain/call.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { Limits } from '../config.ts';
import type { Providers, ToolCall } from '../providers/ports.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import type { CallControl } from './call-control.ts';
import { Conversation } from './conversation.ts';
import { Ears } from './ears.ts';
import type { MediaLeg } from './legs/leg.ts';
import type { LiveState } from './live-state.ts';
import { Outbox } from './outbox.ts';
import type { PhraseAudio } from './phrase-audio.ts';
import { Timers } from './timers.ts';
import { ToolDesk } from './tool-desk.ts';
import { TurnRecorder } from './turn-recorder.ts';
import {
  callStateOf,
  initialTurnState,
  takeTurn,
  turnDefaults,
  type TurnCommand,
  type TurnEvent,
  type TurnOptions,
} from './turn-taking.ts';
import { UsageMeter } from './usage.ts';
import { Voice } from './voice.ts';
import type { VoiceDetector } from './vad/voice-detector.ts';

export interface SessionDeps {
  readonly nodeId: string;
  readonly providers: Providers;
  readonly phrases: PhraseAudio;
  readonly detector: VoiceDetector;
  readonly callControl: CallControl;
  readonly liveState: LiveState;
  readonly limits: Limits;
  readonly timeouts: { readonly sttTimeoutMs: number; readonly llmTimeoutMs: number; readonly ttsTimeoutMs: number };
  readonly logger: Logger;
}

const LEG_LOSS_GRACE_MS = 500;

type TurnEventBody = TurnEvent extends infer E ? (E extends TurnEvent ? Omit<E, 'atMs'> : never) : never;

export class Session {
  readonly plan: CallPlan;
  epoch: number;
  readonly outbox: Outbox;
  readonly tools: ToolDesk;
  /** Resolves when the call is over and its channels are gone. */
  readonly closed: Promise<void>;
  readonly #deps: SessionDeps;
  readonly #options: TurnOptions;
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  readonly #usage = new UsageMeter();
  readonly #conversation: Conversation;
  readonly #timers = new Timers();
  readonly #closed = Promise.withResolvers<void>();
  #ears: Ears | null = null;
  #voice: Voice | null = null;
  #connecting: Promise<MediaLeg | null> = Promise.resolve(null);
  #givenBack = false;
  #state = initialTurnState;
  #queue: TurnEvent[] = [];
  #dispatching = false;
  #recorder: TurnRecorder | null = null;
  #answeredMs = 0;
  #callerLatencies: TurnRecord['latencies'] = {};
  #shownState: string = 'connecting';

  constructor(deps: SessionDeps, plan: CallPlan, epoch: number) {
    this.#deps = deps;
    this.plan = plan;
    this.epoch = epoch;
    this.closed = this.#closed.promise;
    this.#logger = deps.logger.child({ callId: plan.callId, tenantId: plan.tenantId });
    this.outbox = new Outbox(deps.limits.bufferedEvents);
    this.tools = new ToolDesk({ emit: (event) => this.outbox.emit(event), timeoutMs: deps.limits.toolTimeoutMs });
    this.#conversation = new Conversation(plan.agent.systemPrompt, plan.transcript);
    this.#options = {
      ...turnDefaults,
      maxTurns: plan.limits.maxTurns,
      maxDurationMs: plan.limits.maxDurationSeconds * 1_000,
      silenceReminderMs: plan.limits.silenceReminderMs,
      maxReminders: plan.limits.maxReminders,
    };
    // The greeting is synthesised while the channel is still being connected.
    void this.#deps.phrases.get(this.#phraseRequest(plan.agent.greeting)).catch(() => undefined);
  }

  /** The channel has entered our Stasis application: answer and talk. */
  async connect(): Promise<void> {
    const { callControl, liveState, nodeId } = this.#deps;
    const { callId, tenantId, channelId } = this.plan;
    liveState.started({ callId, tenantId, nodeId, epoch: this.epoch, at: new Date().toISOString() });
    const connecting = callControl.connect({
      callId,
      epoch: this.epoch,
      channelId,
      events: {
        onAudio: (pcm) => this.#ears?.hear(pcm),
        onMark: (id) => this.#voice?.reached(id),
        onDtmf: () => undefined,
        onClosed: (reason) => this.#legClosed(reason),
      },
    });
    this.#connecting = connecting.catch(() => null);
    try {
      this.#begin(await connecting);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (error instanceof HoldfastError && error.code === 'channel_missing') return this.#finish('abandoned', 'hangup');
      this.#logger.error({ event: 'connect_failed', error: errorFacts(error) }, 'The call could not be connected to its media leg');
      // The dialplan still has a sentence for this caller; a bare hang-up would be the worst answer.
      this.#givenBack = await callControl.giveBack(channelId).then(
        () => true,
        () => false,
      );
      this.#finish('error', 'connect_failed');
    }
  }

  /** The caller never came, or left before they were connected. */
  abandon(reason: string): void {
    if (this.#voice === null) this.#finish('abandoned', reason);
  }

  callerHungUp(): void {
    if (this.#voice === null) this.abandon('hangup');
    else this.#dispatch({ type: 'caller_hangup' });
  }

  operatorHangup(): void {
    if (this.#voice === null) this.#finish('operator_hangup', 'operator');
    else this.#dispatch({ type: 'operator_hangup' });
  }

  toolResult(result: ToolResult): void {
    this.tools.settle(result);
  }

  attach(resumeAfter: number, send: (message: NodeMessage) => void): void {
    this.outbox.attach(resumeAfter, send);
  }

  #begin(leg: MediaLeg): void {
    // The caller hung up meanwhile; #release takes the leg away.
    if (this.#abort.signal.aborted) return;
    this.#answeredMs = performance.now();
    this.#recorder = new TurnRecorder({ answeredAtMs: Date.now(), first: this.plan.transcript.length, keep: (turn) => this.#turn(turn) });
    const { providers, phrases, detector, limits, timeouts } = this.#deps;
    const { plan } = this;
    const now = () => this.#nowMs();
    this.#ears = new Ears({
      sampleRate: leg.sampleRate,
      detector,
      stt: providers.stt,
      model: plan.models.stt,
      language: plan.agent.language,
      policy: { retries: limits.providerRetries, timeoutMs: timeouts.sttTimeoutMs },
      now,
      onEdge: (edge) => this.#dispatch({ type: edge.type, sinceMs: edge.sinceMs }),
      signal: this.#abort.signal,
    });
    this.#voice = new Voice({
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
      now,
      speechEndedMs: () => this.#state.speechEndedMs,
      events: {
        onAudible: () => this.#dispatch({ type: 'agent_audible' }),
        onFinished: (endCall) => this.#dispatch({ type: 'agent_finished', endCall }),
        onFailed: (stage, error) => {
          this.#logger.warn({ event: 'reply_failed', stage, error: errorFacts(error) }, 'An answer could not be given');
          this.#dispatch({ type: 'reply_failed', stage });
        },
        onEndCall: () => this.#dispatch({ type: 'end_call_requested' }),
        onUtterance: (utterance) => this.#recorder?.agent(utterance, this.#nowMs()),
      },
    });
    this.outbox.emit({ kind: 'answered', at: this.#recorder.iso(0) });
    this.#dispatch({ type: 'connected' });
  }

  #dispatch(event: TurnEventBody): void {
    this.#queue.push({ ...event, atMs: this.#nowMs() });
    if (this.#dispatching) return;
    this.#dispatching = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const [state, commands] = takeTurn(this.#state, next, this.#options);
      this.#state = state;
      for (const command of commands) this.#execute(command);
    }
    this.#dispatching = false;
    this.#showState();
  }

  #execute(command: TurnCommand): void {
    switch (command.type) {
      case 'say':
        return this.#voice?.say(command.phrase);
      case 'reply':
        return this.#voice?.reply();
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
        return this.#timers.set(command.name, command.afterMs, () => this.#dispatch({ type: 'timer', name: command.name }));
      case 'clear_timer':
        return this.#timers.clear(command.name);
      case 'end':
        return this.#finish(command.disposition, command.reason);
    }
  }

  async #transcribe(transcription: number): Promise<void> {
    const ears = this.#ears;
    if (ears === null) return;
    try {
      const { text, tookMs, seconds } = await ears.transcribe();
      this.#usage.audio(seconds);
      this.#callerLatencies = { sttMs: Math.round(tookMs) };
      this.#dispatch({ type: 'transcript', transcription, text });
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#logger.warn({ event: 'transcription_failed', error: errorFacts(error) }, 'The caller could not be understood');
      this.#dispatch({ type: 'transcription_failed', transcription });
    }
  }

  #callerTurn({ text, merged }: { readonly text: string; readonly merged: boolean }): void {
    this.#conversation.callerSaid(text, merged);
    const { speechStartedMs: startedMs, speechEndedMs: endedMs } = this.#state;
    const latencies = { ...this.#callerLatencies, endOfTurnMs: Math.max(0, Math.round(this.#nowMs() - endedMs)) };
    this.#recorder?.caller({ text, merged, startedMs, endedMs, latencies });
  }

  #turn(turn: TurnRecord): void {
    this.outbox.emit({ kind: 'turn', turn });
    this.#deps.liveState.turn(this.plan.callId, turn);
  }

  #showState(): void {
    const state = callStateOf(this.#state);
    // `ended` is told by the event of that name, which is the last one.
    if (state === this.#shownState || state === 'ended') return;
    this.#shownState = state;
    this.outbox.emit({ kind: 'state', state });
    this.#deps.liveState.state(this.plan.callId, state, new Date().toISOString());
  }

  #legClosed(reason: string): void {
    if (this.#abort.signal.aborted) return;
    this.#logger.info({ event: 'leg_closed', reason }, 'The media leg closed');
    // When the caller is gone, the channel's own event follows within moments; otherwise the audio alone was lost.
    setTimeout(() => this.#finish('error', 'leg_lost'), LEG_LOSS_GRACE_MS);
  }

  #finish(disposition: Disposition, reason: string): void {
    if (this.#abort.signal.aborted) return;
    this.#voice?.cut();
    this.#abort.abort(new Error('call ended'));
    this.#timers.clearAll();
    this.#ears?.close();
    this.tools.close();
    const ended: CallEvent = { kind: 'ended', at: new Date().toISOString(), disposition, reason, usage: this.#usage.total() };
    this.outbox.emit(ended);
    this.#deps.liveState.state(this.plan.callId, 'ended', ended.at);
    this.#logger.info({ event: 'call_ended', disposition, reason, turns: this.#state.turns }, 'Call ended');
    void this.#release();
  }

  /** Nothing of the call may stay in the PBX; what cannot be removed now is logged for the operator. */
  async #release(): Promise<void> {
    const { callControl } = this.#deps;
    const hungUp = this.#givenBack ? Promise.resolve() : callControl.hangup(this.plan.channelId);
    // A call that ends while it is being connected: what the PBX still makes has to be there to be removed.
    const removed = this.#connecting.then(async (leg) => {
      await leg?.close();
      await callControl.release({ callId: this.plan.callId, epoch: this.epoch });
    });
    const steps = [hungUp, removed];
    for (const result of await Promise.allSettled(steps)) {
      if (result.status === 'rejected')
        this.#logger.warn({ event: 'release_failed', error: errorFacts(result.reason) }, 'A part of an ended call is left');
    }
    this.#closed.resolve();
  }

  #phraseRequest(text: string) {
    return { text, model: this.plan.models.tts, voice: this.plan.agent.voice, sampleRate: 16_000 };
  }

  #nowMs(): number {
    return performance.now() - this.#answeredMs;
  }
}
