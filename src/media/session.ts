/**
 * The shell around the reducer: one call's sockets, timers and records. It decides nothing; every
 * decision is takeTurn's, every word the caller hears is Voice's, every word they say is Ears'.
 */
import type { CallPlan } from '../contracts/call-plan.ts';
import type { Checkpoint, ResumePoint, ToolRound } from '../contracts/checkpoint.ts';
import type { CallEvent, NodeMessage, ToolResult } from '../contracts/media-control.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import type { Disposition } from '../domain/call.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { SteerCommand } from '../domain/steering.ts';
import type { Limits } from '../config.ts';
import type { Providers, ToolCall } from '../providers/ports.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import type { CallControl, LegRequest, OwnedCall } from './call-control.ts';
import { brokenOff, checkpointOf, nextSequenceOf, resumedTalk, sameStanding } from './checkpoints.ts';
import { Conversation } from './conversation.ts';
import { Ears } from './ears.ts';
import type { MediaLeg } from './legs/leg.ts';
import type { LiveState } from './live-state.ts';
import { Outbox } from './outbox.ts';
import type { PhraseAudio } from './phrase-audio.ts';
import { Timers } from './timers.ts';
import { Transfer } from './transfer.ts';
import { sentences } from './sentences.ts';
import { ToolDesk } from './tool-desk.ts';
import { TurnRecorder } from './turn-recorder.ts';
import {
  callStateOf,
  floorOf,
  hangupEnding,
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
  /** Of this process; see MediaNode.instance in src/contracts/media-node.ts. */
  readonly instance: string;
  readonly providers: Providers;
  readonly phrases: PhraseAudio;
  readonly detector: VoiceDetector;
  readonly callControl: CallControl;
  readonly liveState: LiveState;
  readonly limits: Limits;
  readonly timeouts: { readonly sttTimeoutMs: number; readonly llmTimeoutMs: number; readonly ttsTimeoutMs: number };
  readonly logger: Logger;
}

/** The dialplan still has a sentence for a caller whom nobody can serve; a bare hang-up would be the worst answer. */
const OUR_FAILURES: ReadonlySet<string> = new Set(['connect_failed', 'leg_lost', 'pbx_lost']);

type TurnEventBody = TurnEvent extends infer E ? (E extends TurnEvent ? Omit<E, 'atMs'> : never) : never;

export interface SessionStart {
  readonly plan: CallPlan;
  readonly epoch: number;
  /** Set when this node takes the call over in the middle. */
  readonly resume: ResumePoint | null;
}

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
  /** Where this node, or a leg of it, took the talk up. */
  #resume: ResumePoint | null;
  readonly #usage: UsageMeter;
  readonly #conversation: Conversation;
  readonly #timers = new Timers();
  readonly #closed = Promise.withResolvers<void>();
  #ears: Ears | null = null;
  #voice: Voice | null = null;
  #connecting: Promise<MediaLeg | null> = Promise.resolve(null);
  /** The caller is somebody else's: the end of this call must not hang them up. */
  #transferred = false;
  #state = initialTurnState;
  #queue: TurnEvent[] = [];
  #dispatching = false;
  #recorder: TurnRecorder | null = null;
  #answeredMs = 0;
  #callerLatencies: TurnRecord['latencies'] = {};
  #shownState: string = 'connecting';
  #checkpoint: Checkpoint | null = null;
  #leaving = false;
  #transfer: Transfer | null = null;

  constructor(deps: SessionDeps, { plan, epoch, resume }: SessionStart) {
    this.#deps = deps;
    this.plan = plan;
    this.epoch = epoch;
    this.#resume = resume;
    const rounds = resume?.rounds ?? [];
    this.#usage = new UsageMeter(resume?.checkpoint?.usage);
    this.closed = this.#closed.promise;
    this.#logger = deps.logger.child({ callId: plan.callId, tenantId: plan.tenantId });
    this.outbox = new Outbox(deps.limits.bufferedEvents, rounds);
    this.tools = new ToolDesk({ emit: (event) => this.outbox.emit(event), timeoutMs: deps.limits.toolTimeoutMs, rounds });
    this.#conversation = new Conversation({
      systemPrompt: plan.agent.systemPrompt,
      transcript: plan.transcript,
      rounds,
      onTools: (round) => this.#toolsCalled(round),
    });
    this.#options = {
      ...turnDefaults,
      maxTurns: plan.limits.maxTurns,
      maxDurationMs: plan.limits.maxDurationSeconds * 1_000,
      silenceReminderMs: plan.limits.silenceReminderMs,
      maxReminders: plan.limits.maxReminders,
    };
    // Synthesised while the channel is still being connected.
    void this.#deps.phrases.get(this.#phraseRequest(this.#firstWords())).catch(() => undefined);
  }

  get #owned(): OwnedCall {
    return { callId: this.plan.callId, epoch: this.epoch, channelId: this.plan.channelId };
  }

  #firstWords(): string {
    const point = this.#resume?.checkpoint;
    const speech = point?.floor === 'agent' ? point.speech : null;
    return speech?.complete === true ? (sentences(speech.text.slice(speech.sentenceAt))[0] ?? '') : this.plan.agent.greeting;
  }

  /** The channel has entered our Stasis application, or is to be taken over from another node: answer and talk. */
  async connect(): Promise<void> {
    const { callControl, liveState, nodeId, instance } = this.#deps;
    const startedMs = performance.now();
    const { tenantId, transcript } = this.plan;
    liveState.started(this.#owned, { tenantId, nodeId, instance, at: new Date().toISOString(), transcript });
    try {
      if (this.#resume?.checkpoint?.transferring === true && (await this.#transferredAlready())) return;
      const request = this.#legRequest();
      const connecting = this.epoch > 1 ? callControl.takeOver(request) : callControl.connect(request);
      this.#connecting = connecting.catch(() => null);
      this.#begin(await connecting);
      if (this.epoch > 1) {
        const tookMs = Math.round(performance.now() - startedMs);
        this.#logger.info({ event: 'taken_over', epoch: this.epoch, tookMs }, 'The call goes on at this node');
      }
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (error instanceof HoldfastError && error.code === 'stale_epoch') return this.leave();
      if (error instanceof HoldfastError && error.code === 'channel_missing') return this.#callerGone();
      this.#notConnected(error);
    }
  }

  #legRequest(): LegRequest {
    return {
      ...this.#owned,
      events: {
        onAudio: (pcm) => this.#ears?.hear(pcm),
        onMark: (id) => this.#voice?.reached(id),
        onDtmf: () => undefined,
        onClosed: (reason) => void this.#legClosed(reason),
      },
    };
  }

  #notConnected(because: unknown): void {
    if (because instanceof HoldfastError && because.code === 'pbx_lost') return this.pbxLost();
    this.#logger.error({ event: 'connect_failed', error: errorFacts(because) }, 'The call could not be connected to its media leg');
    this.#finish('error', 'connect_failed');
  }

  /** The caller leaves; when nobody answers there, they come back, and the talk goes on. */
  async #transferTo(address: string): Promise<void> {
    const { callControl } = this.#deps;
    const { signal } = this.#abort;
    this.#transfer = new Transfer({ callControl, call: this.#owned, signal, logger: this.#logger });
    this.#ears?.close();
    await (await this.#connecting)?.close();
    const outcome = await this.#transfer.to(address);
    if (signal.aborted) return;
    this.#logger.info({ event: 'transfer_ended', outcome }, 'A transfer has ended');
    if (outcome === 'answered') this.#transferred = true;
    try {
      if (outcome === 'failed') {
        const connecting = callControl.connect(this.#legRequest());
        this.#connecting = connecting.catch(() => null);
        this.#openLeg(await connecting);
      }
      this.#transfer = null;
      this.#dispatch({ type: 'transfer_ended', outcome });
    } catch (error) {
      if (!signal.aborted) this.#notConnected(error);
    }
  }

  /** The former node died while it rang elsewhere. @returns false when the caller is back, to be taken over as ever. */
  async #transferredAlready(): Promise<boolean> {
    const outcome = await this.#deps.callControl.transferOutcome(this.#owned, this.#abort.signal);
    if (outcome === 'gone') this.#callerGone();
    if (outcome === 'answered') {
      this.#transferred = true;
      this.#finish('transferred', 'transferred');
    }
    return outcome !== 'failed';
  }

  /** The caller never came, or left before they were connected. */
  abandon(reason: string): void {
    if (this.#voice === null) this.#finish('abandoned', reason);
  }

  /** They left before this node could reach them; after a take-over that is the end of a talk. */
  #callerGone(): void {
    const point = this.#resume?.checkpoint ?? null;
    const { disposition, reason } = hangupEnding(point === null ? initialTurnState : { ...initialTurnState, ...resumedTalk(point) });
    this.#finish(disposition, reason);
  }

  /** Another node has this call: nothing of it may be touched or told from here any more. */
  leave(): void {
    if (this.#abort.signal.aborted) return;
    this.#logger.warn({ event: 'fenced', epoch: this.epoch }, 'Another node has taken this call over');
    // First: what the stop would still record of the talk is no longer this node's to tell.
    this.outbox.silence();
    this.#deps.liveState.forget(this.#owned);
    this.#stop();
    void this.#connecting.then((leg) => leg?.close()).finally(() => this.#closed.resolve());
  }

  /** The caller's channel is no longer in our application. */
  async channelLeft(): Promise<void> {
    // To be transferred; what becomes of it is watched.
    if (this.#state.transferring) return;
    const standing = await this.#deps.callControl.standing(this.#owned).catch(() => 'gone' as const);
    if (standing === 'lost') this.leave();
    else this.callerHungUp();
  }

  /** This node is leaving: asks for another one, at once or when nobody speaks and nobody waits. */
  handOver(atOnce: boolean): void {
    this.#leaving = true;
    if (atOnce || (this.#recorder !== null && floorOf(this.#state) === 'nobody')) this.outbox.askForHandover();
  }

  /** The worker had lost sight of this node and counts a new epoch; the talk itself goes on. */
  renew(epoch: number): void {
    this.epoch = epoch;
    this.#deps.callControl.claim(this.#owned).catch((error: unknown) => {
      this.#logger.warn({ event: 'claim_failed', error: errorFacts(error) }, 'The new epoch could not be told to the PBX');
    });
  }

  callerHungUp(): void {
    if (this.#voice === null) this.abandon('hangup');
    else this.#dispatch({ type: 'caller_hangup' });
  }

  /** @throws HoldfastError channel_missing (retryable) before the call is answered, conflict when it is ending. */
  steer(id: string, command: SteerCommand): void {
    if (this.#voice === null) throw new HoldfastError('channel_missing', 'The call has not been answered yet', { retryable: true });
    if (this.#state.ending !== null || this.#abort.signal.aborted) throw new HoldfastError('conflict', 'The call is ending');
    this.#logger.info({ event: 'steered', kind: command.kind }, 'An operator steers the call');
    if (command.kind === 'say') this.#dispatch({ type: 'operator_say', id, text: command.text });
    else this.#dispatch({ type: 'operator_transfer', id, to: command.to });
  }

  /** The caller's channel has entered our application again. @returns false when it was not expected to. */
  returned(): boolean {
    this.#transfer?.returned();
    return this.#transfer !== null;
  }

  /** The PBX died, or hangs: whoever is still in it when it is back hears the apology of the dialplan. */
  pbxLost(): void {
    this.#finish('error', 'pbx_lost');
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
    const resumed = this.#resume?.checkpoint ?? null;
    const answeredAtMs = resumed === null ? Date.now() : Date.parse(resumed.answeredAt);
    this.#answeredMs = performance.now() - (Date.now() - answeredAtMs);
    this.#recorder = new TurnRecorder({
      answeredAtMs,
      first: nextSequenceOf(this.plan.transcript, this.#resume),
      caller: this.plan.transcript.findLast((turn) => turn.speaker === 'caller')?.sequence ?? 0,
      keep: (turn) => this.#turn(turn),
    });
    this.#openLeg(leg);
    this.outbox.emit({ kind: 'answered', at: this.#recorder.iso(0) });
    if (resumed === null) this.#dispatch({ type: 'connected' });
    else this.#resumeFrom(resumed);
  }

  #resumeFrom(point: Checkpoint): void {
    const broken = brokenOff(point);
    if (broken !== null) {
      this.#conversation.agentSaid(broken.heardText);
      this.#recorder?.agent(broken, this.#nowMs());
    }
    this.#dispatch({ type: 'resumed', from: resumedTalk(point) });
  }

  /** Ears and voice for a leg: the first one, or one that follows a broken one or a transfer that failed. */
  #openLeg(leg: MediaLeg): void {
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
        onProgress: () => this.#remember(),
      },
    });
  }

  #goOn(): void {
    const speech = this.#resume?.checkpoint?.speech ?? null;
    if (speech === null || this.#recorder === null) return;
    const { startedAt, ...point } = speech;
    this.#voice?.goOn({ ...point, startedMs: this.#recorder.atMs(startedAt) });
  }

  /** Tells where the talk stands, when that has changed. */
  #remember(): void {
    // The pending event of a speech may be half-way: the checkpoint follows with its state.
    if (this.#dispatching || this.#recorder === null || this.#abort.signal.aborted) return;
    const checkpoint = this.#standing(this.#recorder);
    if (sameStanding(this.#checkpoint, checkpoint)) return;
    this.#checkpoint = checkpoint;
    this.outbox.remember(checkpoint);
    this.#deps.liveState.memory(this.#owned, checkpoint, this.outbox.rounds);
    if (this.#leaving) this.handOver(false);
  }

  #standing({ next: nextSequence, iso }: TurnRecorder): Checkpoint {
    const speech = this.#voice?.point() ?? null;
    return checkpointOf({ state: this.#state, speech, nextSequence, usage: this.#usage.total(), iso });
  }

  #toolsCalled({ id, calls, results }: { id: number; calls: readonly ToolCall[]; results: ReadonlyMap<string, string> }): void {
    const turn = this.#state.turns;
    const known = this.outbox.rounds.find((round) => round.id === id);
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
    this.outbox.rememberRound(round);
    if (this.#checkpoint !== null) this.#deps.liveState.memory(this.#owned, this.#checkpoint, this.outbox.rounds);
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
    this.#remember();
  }

  #execute(command: TurnCommand): void {
    switch (command.type) {
      case 'say':
        return this.#voice?.say(command.phrase);
      case 'say_words':
        return this.#voice?.sayWords(command.text);
      case 'transfer':
        return void this.#transferTo(command.to);
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
      if (this.#ears === ears) this.#dispatch({ type: 'transcript', transcription, text });
    } catch (error) {
      if (this.#abort.signal.aborted || this.#ears !== ears) return;
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
    this.#deps.liveState.turn(this.#owned, turn);
  }

  #showState(): void {
    const state = callStateOf(this.#state);
    // `ended` is told by the event of that name, which is the last one.
    if (state === this.#shownState || state === 'ended') return;
    this.#shownState = state;
    this.outbox.emit({ kind: 'state', state });
    this.#deps.liveState.state(this.#owned, state, new Date().toISOString());
  }

  /** The audio is lost, and perhaps nothing else: the caller may be there, or gone, or the PBX may be. */
  async #legClosed(reason: string): Promise<void> {
    if (this.#abort.signal.aborted || this.#state.transferring) return;
    this.#logger.info({ event: 'leg_closed', reason }, 'The media leg closed');
    const joining = this.#deps.callControl.rejoin(this.#legRequest());
    this.#connecting = joining.catch(() => null);
    try {
      this.#goOnOver(await joining);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      const code = error instanceof HoldfastError ? error.code : 'internal';
      if (code === 'stale_epoch') return this.leave();
      if (code === 'channel_missing') return this.callerHungUp();
      if (code === 'pbx_lost') return this.pbxLost();
      this.#logger.error({ event: 'rejoin_failed', error: errorFacts(error) }, 'The caller could not be given a new media leg');
      this.#finish('error', 'leg_lost');
    }
  }

  /** As another node would go on, but in the same session: the talk stands where it stood when the leg closed. */
  #goOnOver(leg: MediaLeg): void {
    if (this.#abort.signal.aborted || this.#recorder === null) return;
    if (this.#state.transferring) return void leg.close();
    const point = this.#standing(this.#recorder);
    this.#voice?.drop();
    this.#ears?.close();
    this.#timers.clearAll();
    this.#resume = { checkpoint: point, rounds: [...this.outbox.rounds] };
    this.#openLeg(leg);
    this.#logger.info({ event: 'rejoined' }, 'The call goes on over a new media leg');
    this.#resumeFrom(point);
  }

  #finish(disposition: Disposition, reason: string): void {
    if (this.#abort.signal.aborted) return;
    this.#stop();
    const ended: CallEvent = { kind: 'ended', at: new Date().toISOString(), disposition, reason, usage: this.#usage.total() };
    this.outbox.emit(ended);
    this.#deps.liveState.state(this.#owned, 'ended', ended.at);
    this.#logger.info({ event: 'call_ended', disposition, reason, turns: this.#state.turns }, 'Call ended');
    void this.#release(reason);
  }

  #stop(): void {
    this.#voice?.cut();
    this.#abort.abort(new Error('call ended'));
    this.#timers.clearAll();
    this.#ears?.close();
    this.tools.close();
  }

  /** Nothing of the call may stay in the PBX; what cannot be removed now is logged for the operator. */
  async #release(reason: string): Promise<void> {
    const { callControl } = this.#deps;
    const owned = this.#owned;
    const letGo = (): Promise<void> => (OUR_FAILURES.has(reason) ? callControl.giveBack(owned) : callControl.hangup(owned));
    const hungUp = this.#transferred ? Promise.resolve() : letGo();
    // A call that ends while it is being connected: what the PBX still makes has to be there to be removed.
    const removed = this.#connecting.then(async (leg) => {
      await leg?.close();
      await callControl.release(this.#owned);
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
