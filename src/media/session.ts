/**
 * One call at this node: whose its caller's channel is, how it comes and goes, and what is told about
 * it. The conversation itself is Talk's.
 */
import type { CallPlan } from '../contracts/call-plan.ts';
import type { ResumePoint } from '../contracts/checkpoint.ts';
import type { CallEvent, NodeMessage, ToolResult } from '../contracts/media-control.ts';
import type { Disposition } from '../domain/call.ts';
import { isTwilioChannel } from '../contracts/twilio.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { SteerCommand } from '../domain/steering.ts';
import type { Limits } from '../config.ts';
import type { Providers } from '../providers/ports.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import type { CallControl, LegRequest, OwnedCall } from './call-control.ts';
import { resumedTalk } from './checkpoints.ts';
import type { MediaLeg } from './legs/leg.ts';
import type { LiveState } from './live-state.ts';
import { Outbox } from './outbox.ts';
import type { PhraseAudio } from './phrase-audio.ts';
import { Talk, type TalkListener } from './talk.ts';
import { Transfer } from './transfer.ts';
import { hangupEnding, initialTurnState } from './turn-taking.ts';
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
const OUR_FAILURES: ReadonlySet<string> = new Set(['connect_failed', 'leg_lost', 'pbx_lost', 'voice_lost']);

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
  /** Resolves when the call is over and its channels are gone. */
  readonly closed: Promise<void>;
  readonly #deps: SessionDeps;
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  readonly #resume: ResumePoint | null;
  readonly #talk: Talk;
  readonly #closed = Promise.withResolvers<void>();
  #connecting: Promise<MediaLeg | null> = Promise.resolve(null);
  /** The caller is somebody else's: the end of this call must not hang them up. */
  #transferred = false;
  #transfer: Transfer | null = null;
  #leaving = false;
  /** Set between a take-over and the first frame of the caller. */
  #listensSince: number | null = null;

  constructor(deps: SessionDeps, { plan, epoch, resume }: SessionStart) {
    this.#deps = deps;
    this.plan = plan;
    this.epoch = epoch;
    this.#resume = resume;
    this.closed = this.#closed.promise;
    this.#logger = deps.logger.child({ callId: plan.callId, tenantId: plan.tenantId });
    this.outbox = new Outbox(deps.limits.bufferedEvents, resume?.rounds ?? []);
    this.#talk = new Talk({ deps, plan, resume, outbox: this.outbox, logger: this.#logger, listener: this.#listener() });
  }

  /** What the talk tells goes to the worker and to Redis. */
  #listener(): TalkListener {
    const { liveState } = this.#deps;
    return {
      onAnswered: (at) => this.outbox.emit({ kind: 'answered', at }),
      onTurn: (turn) => {
        this.outbox.emit({ kind: 'turn', turn });
        liveState.turn(this.#owned, turn);
      },
      onState: (state) => {
        this.outbox.emit({ kind: 'state', state });
        liveState.state(this.#owned, state, new Date().toISOString());
      },
      onMemory: (checkpoint, rounds) => {
        liveState.memory(this.#owned, checkpoint, rounds);
        if (this.#leaving) this.handOver(false);
      },
      onTransfer: (to) => void this.#transferTo(to),
      onEnd: (disposition, reason) => this.#finish(disposition, reason),
    };
  }

  get #owned(): OwnedCall {
    return { callId: this.plan.callId, epoch: this.epoch, channelId: this.plan.channelId };
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
      const leg = await connecting;
      // The caller hung up meanwhile; #release takes the leg away.
      if (this.#abort.signal.aborted) return;
      this.#talk.begin(leg);
      if (this.epoch > 1) {
        const tookMs = Math.round(performance.now() - startedMs);
        this.#logger.info({ event: 'taken_over', epoch: this.epoch, tookMs }, 'The call goes on at this node');
        this.#listensSince = startedMs;
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
        onAudio: (pcm) => {
          if (this.#listensSince !== null) this.#firstFrame(this.#listensSince);
          this.#talk.hear(pcm);
        },
        onMark: (id) => this.#talk.reached(id),
        onDtmf: () => undefined,
        onClosed: (reason) => void this.#legClosed(reason),
      },
    };
  }

  #firstFrame(sinceMs: number): void {
    this.#listensSince = null;
    const tookMs = Math.round(performance.now() - sinceMs);
    this.#logger.info({ event: 'listening', epoch: this.epoch, tookMs }, 'The caller is heard again');
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
    this.#talk.deafen();
    await (await this.#connecting)?.close();
    const outcome = await this.#transfer.to(address);
    if (signal.aborted) return;
    this.#logger.info({ event: 'transfer_ended', outcome }, 'A transfer has ended');
    if (outcome === 'answered') this.#transferred = true;
    try {
      if (outcome === 'failed') {
        const connecting = callControl.connect(this.#legRequest());
        this.#connecting = connecting.catch(() => null);
        this.#talk.useLeg(await connecting);
      }
      this.#transfer = null;
      this.#talk.dispatch({ type: 'transfer_ended', outcome });
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
    if (!this.#talk.begun) this.#finish('abandoned', reason);
  }

  /** They left before this node could reach them; after a take-over that is the end of a talk. */
  #callerGone(): void {
    const point = this.#resume?.checkpoint ?? null;
    this.#talk.breakOff();
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
    if (this.#talk.transferring) return;
    const standing = await this.#deps.callControl.standing(this.#owned).catch(() => 'gone' as const);
    if (standing === 'lost') return this.leave();
    // Our own take-over has moved it here from here: the node did not know yet that it had come.
    if (standing === 'ours' && this.epoch > 1 && !this.#talk.begun) return;
    this.callerHungUp();
  }

  /** This node is leaving: asks for another one, at once or when nobody speaks and nobody waits. */
  handOver(atOnce: boolean): void {
    this.#leaving = true;
    // A goodbye is over sooner than another node could take it up.
    if (this.#talk.ending) return;
    if (atOnce || this.#talk.quiet) this.outbox.askForHandover();
  }

  /** The worker had lost sight of this node and counts a new epoch; the talk itself goes on. */
  renew(epoch: number): void {
    this.epoch = epoch;
    this.#deps.callControl.claim(this.#owned).catch((error: unknown) => {
      this.#logger.warn({ event: 'claim_failed', error: errorFacts(error) }, 'The new epoch could not be told to the PBX');
    });
  }

  callerHungUp(): void {
    if (this.#talk.begun) this.#talk.dispatch({ type: 'caller_hangup' });
    else this.#callerGone();
  }

  /** @throws HoldfastError channel_missing (retryable) before the call is answered, conflict when it is ending, transfer_forbidden. */
  steer(id: string, command: SteerCommand): void {
    if (!this.#talk.begun) throw new HoldfastError('channel_missing', 'The call has not been answered yet', { retryable: true });
    if (this.#talk.ending || this.#abort.signal.aborted) throw new HoldfastError('conflict', 'The call is ending');
    if (command.kind === 'transfer' && isTwilioChannel(this.plan.channelId))
      throw new HoldfastError('transfer_forbidden', 'A call over a media stream cannot be transferred');
    this.#logger.info({ event: 'steered', kind: command.kind }, 'An operator steers the call');
    if (command.kind === 'say') this.#talk.dispatch({ type: 'operator_say', id, text: command.text });
    else this.#talk.dispatch({ type: 'operator_transfer', id, to: command.to });
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
    if (this.#talk.begun) this.#talk.dispatch({ type: 'operator_hangup' });
    else this.#finish('operator_hangup', 'operator');
  }

  toolResult(result: ToolResult): void {
    this.#talk.tools.settle(result);
  }

  attach(resumeAfter: number, send: (message: NodeMessage) => void): void {
    this.outbox.attach(resumeAfter, send);
  }

  /** The audio is lost, and perhaps nothing else: the caller may be there, or gone, or the PBX may be. */
  async #legClosed(reason: string): Promise<void> {
    if (this.#abort.signal.aborted || this.#talk.transferring) return;
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

  #goOnOver(leg: MediaLeg): void {
    if (this.#abort.signal.aborted) return;
    if (this.#talk.transferring) return void leg.close();
    this.#talk.goOnOver(leg);
    this.#logger.info({ event: 'rejoined' }, 'The call goes on over a new media leg');
  }

  #finish(disposition: Disposition, reason: string): void {
    if (this.#abort.signal.aborted) return;
    this.#stop();
    const ended: CallEvent = { kind: 'ended', at: new Date().toISOString(), disposition, reason, usage: this.#talk.usage };
    this.outbox.emit(ended);
    this.#deps.liveState.ended(this.#owned, { at: ended.at, apology: OUR_FAILURES.has(reason) });
    this.#logger.info({ event: 'call_ended', disposition, reason, turns: this.#talk.turns }, 'Call ended');
    void this.#release(reason);
  }

  #stop(): void {
    this.#abort.abort(new Error('call ended'));
    this.#talk.stop();
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
}
