/** Keeps one call attached to its media node: opens, starts, re-attaches within a bound, and knows when the node is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConverseRequest } from '../contracts/call-workflow.ts';
import type { NodeMessage } from '../contracts/media-control.ts';
import { HoldfastError } from '../domain/errors.ts';
import { openControlSocket, type ControlSocket } from './control-socket.ts';
import type { EndedEvent, Relay } from './relay.ts';

/** A node out of reach for this long is lost. */
const LOST_MS = 1_500;
const PAUSE_MS = 100;
/** A polite end includes a spoken goodbye. */
const HANGUP_MS = 10_000;

export class NodeLink {
  readonly #request: ConverseRequest;
  readonly #relay: Relay;
  readonly #secret: string;
  readonly #outcome = Promise.withResolvers<EndedEvent>();
  #socket: ControlSocket | null = null;
  #hangupReason: string | null = null;
  #hangupTimer: NodeJS.Timeout | undefined;
  #resumedAfter = 0;
  #heard = false;
  #over = false;

  constructor(options: { request: ConverseRequest; relay: Relay; secret: string }) {
    this.#request = options.request;
    this.#relay = options.relay;
    this.#secret = options.secret;
    void this.#stayAttached().catch((error: unknown) => this.#outcome.reject(error));
  }

  /** Resolves at the end of the talk. @throws HoldfastError media_node_lost, or the code of a refusal. */
  get ended(): Promise<EndedEvent> {
    return this.#outcome.promise;
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
    this.#relay.detach();
    this.#socket?.close();
  }

  async #stayAttached(): Promise<void> {
    let silentSinceMs = Date.now();
    while (!this.#over) {
      try {
        await this.#attachOnce();
      } catch (error) {
        if (!(error instanceof HoldfastError) || !error.retryable) throw error;
      }
      if (this.#heard) silentSinceMs = Date.now();
      if (Date.now() - silentSinceMs > LOST_MS) throw lost('The media node is out of reach');
      await sleep(PAUSE_MS);
    }
  }

  /** Returns when the socket has closed. */
  async #attachOnce(): Promise<void> {
    this.#heard = false;
    const socket = await openControlSocket({
      url: this.#request.node.controlUrl,
      secret: this.#secret,
      onMessage: (message) => this.#receive(message),
    });
    this.#socket = socket;
    if (this.#over) return socket.close();
    this.#relay.attach(socket.send);
    const { plan, epoch } = this.#request;
    this.#resumedAfter = this.#relay.progress.lastSeq;
    socket.send({ type: 'start', plan, epoch, resumeAfter: this.#resumedAfter });
    if (this.#hangupReason !== null) socket.send({ type: 'hangup', reason: this.#hangupReason });
    await socket.closed;
    this.#relay.detach();
  }

  #receive(message: NodeMessage): void {
    this.#heard = true;
    if (this.#over) return;
    if (message.type === 'refused') return this.#refused(message.code, message.message);
    if (message.type === 'beat') return;
    if (message.seq <= this.#resumedAfter) return this.#forgotten();
    try {
      this.#relay.receive(message.seq, message.event);
    } catch (error) {
      this.#outcome.reject(error);
    }
    if (this.#relay.ended !== null) this.#outcome.resolve(this.#relay.ended);
  }

  /** A node that numbers from the start again is another process at the same address: the talk died with the first one. */
  #forgotten(): void {
    this.#socket?.send({ type: 'hangup', reason: 'session_lost' });
    this.#outcome.reject(lost('The media node has restarted and lost the call'));
  }

  /** A refusal is final for this node. */
  #refused(code: HoldfastError['code'], message: string): void {
    if (code === 'channel_missing') this.#outcome.resolve(this.#callerGone());
    else this.#outcome.reject(new HoldfastError(code, `The media node refused the call: ${message}`));
  }

  /** The PBX no longer has the caller: gone before the first word, or lost together with an earlier session. */
  #callerGone(): EndedEvent {
    const disposition = this.#relay.progress.answeredAt === null ? 'abandoned' : 'error';
    const usage = { sttSeconds: 0, llmPromptTokens: 0, llmCompletionTokens: 0, ttsCharacters: 0 };
    return { kind: 'ended', at: new Date().toISOString(), disposition, reason: 'channel_missing', usage };
  }
}

/** Retryable as such; the workflow's policy for `converse` decides that a new node, not a new attempt, is needed. */
function lost(message: string): HoldfastError {
  return new HoldfastError('media_node_lost', message, { retryable: true });
}
