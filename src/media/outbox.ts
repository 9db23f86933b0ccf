/**
 * Events of one call on their way to the worker: numbered from 1, kept until acknowledged, sent
 * again after a re-attach. The talk goes on while no worker is attached; the buffer is bounded and
 * never drops `ended` or a turn before a state.
 */
import type { CallEvent, NodeMessage } from '../contracts/media-control.ts';

export class Outbox {
  readonly #limit: number;
  #pending: { seq: number; event: CallEvent }[] = [];
  #next = 1;
  #send: ((message: NodeMessage) => void) | null = null;
  #emptied: PromiseWithResolvers<void> | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  emit(event: CallEvent): void {
    const entry = { seq: this.#next++, event };
    this.#pending.push(entry);
    if (this.#pending.length > this.#limit) {
      const oldestState = this.#pending.findIndex((item) => item.event.kind === 'state');
      this.#pending.splice(oldestState === -1 ? 0 : oldestState, 1);
    }
    this.#send?.({ type: 'event', ...entry });
  }

  /** Sends what the worker has not seen, then follows live. Replaces an earlier attachment. */
  attach(resumeAfter: number, send: (message: NodeMessage) => void): void {
    this.acknowledge(resumeAfter);
    this.#send = send;
    for (const entry of this.#pending) send({ type: 'event', ...entry });
  }

  detach(send: (message: NodeMessage) => void): void {
    if (this.#send === send) this.#send = null;
  }

  acknowledge(seq: number): void {
    this.#pending = this.#pending.filter((entry) => entry.seq > seq);
    if (this.#pending.length === 0) this.#emptied?.resolve();
  }

  /** Resolves when everything emitted so far has been acknowledged. */
  async emptied(): Promise<void> {
    if (this.#pending.length === 0) return;
    this.#emptied ??= Promise.withResolvers<void>();
    await this.#emptied.promise;
  }
}
