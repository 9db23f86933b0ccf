/**
 * Events of one call on their way to the worker: numbered from 1, kept until acknowledged, sent
 * again after a re-attach. The talk goes on while no worker is attached; the buffer is bounded and
 * never drops `ended` or a turn before a state.
 *
 * Beside the events goes the call's memory (checkpoint and tool rounds): not numbered, the newest
 * counts, and a worker that attaches gets all of it.
 */
import type { Checkpoint, ToolRound } from '../contracts/checkpoint.ts';
import type { CallEvent, NodeMessage } from '../contracts/media-control.ts';

/** What a model called longer ago than this is not handed on. */
const MAX_ROUNDS = 20;

export class Outbox {
  readonly #limit: number;
  #pending: { seq: number; event: CallEvent }[] = [];
  #next = 1;
  #send: ((message: NodeMessage) => void) | null = null;
  #emptied: PromiseWithResolvers<void> | null = null;
  #checkpoint: Checkpoint | null = null;
  #rounds = new Map<number, ToolRound>();
  #leaving = false;

  /** @param rounds of a former node. */
  constructor(limit: number, rounds: readonly ToolRound[] = []) {
    this.#limit = limit;
    for (const round of rounds) this.#rounds.set(round.id, round);
  }

  /** Oldest first. */
  get rounds(): readonly ToolRound[] {
    return [...this.#rounds.values()];
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

  remember(checkpoint: Checkpoint): void {
    this.#checkpoint = checkpoint;
    this.#send?.({ type: 'memory', checkpoint, rounds: [] });
  }

  rememberRound(round: ToolRound): void {
    this.#rounds.set(round.id, round);
    if (this.#rounds.size > MAX_ROUNDS) this.#rounds.delete(this.#rounds.keys().next().value as number);
    this.#send?.({ type: 'memory', checkpoint: this.#checkpoint, rounds: [round] });
  }

  /** Asks whoever is attached, now or later, to give this call to another node. */
  askForHandover(): void {
    this.#leaving = true;
    this.#send?.({ type: 'handover' });
  }

  /** Sends what the worker has not seen, then follows live. Replaces an earlier attachment. */
  attach(resumeAfter: number, send: (message: NodeMessage) => void): void {
    this.acknowledge(resumeAfter);
    this.#send = send;
    send({ type: 'memory', checkpoint: this.#checkpoint, rounds: [...this.#rounds.values()] });
    for (const entry of this.#pending) send({ type: 'event', ...entry });
    if (this.#leaving) send({ type: 'handover' });
  }

  /** Nothing goes out any more: the call is another node's. */
  silence(): void {
    this.#send = null;
    this.#pending = [];
    this.#emptied?.resolve();
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
