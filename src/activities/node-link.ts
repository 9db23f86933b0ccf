/**
 * One call at one media node in one epoch: opens the control socket, starts, re-attaches when the
 * socket breaks and the node is still there, and knows when the node is lost.
 */
import type { CallPlan } from '../contracts/call-plan.ts';
import type { ResumePoint } from '../contracts/checkpoint.ts';
import type { NodeMessage } from '../contracts/media-control.ts';
import type { MediaNode } from '../contracts/media-node.ts';
import { HoldfastError } from '../domain/errors.ts';
import { openControlSocket, type ControlSocket } from './control-socket.ts';
import type { EndedEvent, Relay } from './relay.ts';

export interface NodeLinkOptions {
  readonly node: MediaNode;
  readonly epoch: number;
  readonly plan: CallPlan;
  readonly resume: ResumePoint | null;
  readonly relay: Relay;
  readonly secret: string;
}

/** A polite end includes a spoken goodbye. */
const HANGUP_MS = 10_000;

export class NodeLink {
  readonly #options: NodeLinkOptions;
  readonly #outcome = Promise.withResolvers<EndedEvent>();
  readonly #handover = Promise.withResolvers<void>();
  #socket: ControlSocket | null = null;
  #hangupReason: string | null = null;
  #hangupTimer: NodeJS.Timeout | undefined;
  #heard = false;
  #over = false;

  constructor(options: NodeLinkOptions) {
    this.#options = options;
    this.#outcome.promise.catch(() => undefined);
    void this.#stayAttached().catch((error: unknown) => this.#outcome.reject(error));
  }

  /** Resolves at the end of the talk. @throws HoldfastError media_node_lost, or the code of a refusal. */
  get ended(): Promise<EndedEvent> {
    return this.#outcome.promise;
  }

  /** Resolves when the node, still alive, asks for another one to take the call. */
  get handoverAsked(): Promise<void> {
    return this.#handover.promise;
  }

  /** Asks the node for a polite end, on this socket and every later one. */
  hangup(reason: string): void {
    if (this.#over) return;
    this.#hangupReason ??= reason;
    this.#socket?.send({ type: 'hangup', reason: this.#hangupReason });
    this.#hangupTimer ??= setTimeout(() => this.#outcome.reject(lost('The media node did not end the call when asked to')), HANGUP_MS);
  }

  close(): void {
    this.#over = true;
    clearTimeout(this.#hangupTimer);
    this.#options.relay.detach();
    this.#socket?.close();
  }

  /** A socket that breaks is opened once more at once: a process that is gone refuses, one that hangs was silent for too long already. */
  async #stayAttached(): Promise<void> {
    while (!this.#over) {
      this.#heard = false;
      const cause = await this.#attachOnce();
      if (this.#over) return;
      if (!this.#heard || cause === 'beats_missed') throw lost(`The media node is out of reach: ${cause}`);
    }
  }

  /** @returns why the socket has closed. */
  async #attachOnce(): Promise<string> {
    const { node, epoch, plan, resume, relay, secret } = this.#options;
    const socket = await openControlSocket({ url: node.controlUrl, secret, onMessage: (message) => this.#receive(message) });
    this.#socket = socket;
    if (this.#over) {
      socket.close();
      return 'closed';
    }
    relay.attach(socket.send);
    socket.send({ type: 'start', plan, epoch, resumeAfter: relay.progress.lastSeq, instance: node.instance, resume });
    if (this.#hangupReason !== null) socket.send({ type: 'hangup', reason: this.#hangupReason });
    const cause = await socket.closed;
    if (!this.#over) relay.detach();
    return cause;
  }

  #receive(message: NodeMessage): void {
    if (this.#over) return;
    if (message.type === 'refused') return this.#refused(message.code, message.message);
    this.#heard = true;
    const { relay } = this.#options;
    if (message.type === 'beat' || message.type === 'done') return;
    if (message.type === 'handover') return this.#handover.resolve();
    if (message.type === 'memory') return relay.remember(message.checkpoint, message.rounds);
    try {
      relay.receive(message.seq, message.event);
    } catch (error) {
      this.#outcome.reject(error);
    }
    if (relay.ended !== null) this.#outcome.resolve(relay.ended);
  }

  /** A refusal is final for this node. */
  #refused(code: HoldfastError['code'], message: string): void {
    if (code === 'channel_missing') this.#outcome.resolve(this.#callerGone());
    else this.#outcome.reject(new HoldfastError(code, `The media node refused the call: ${message}`, { retryable: true }));
  }

  /** The PBX no longer has the caller: gone before the first word, or lost together with an earlier session. */
  #callerGone(): EndedEvent {
    const disposition = this.#options.relay.progress.answeredAt === null ? 'abandoned' : 'error';
    const usage = { sttSeconds: 0, llmPromptTokens: 0, llmCompletionTokens: 0, ttsCharacters: 0 };
    return { kind: 'ended', at: new Date().toISOString(), disposition, reason: 'channel_missing', usage };
  }
}

function lost(message: string): HoldfastError {
  return new HoldfastError('media_node_lost', message, { retryable: true });
}
