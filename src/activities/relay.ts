/** Takes a media node's events of one call to where they belong, and says when they are safe to forget. */
import type { CallPlan } from '../contracts/call-plan.ts';
import type { Checkpoint, ResumePoint, ToolRound } from '../contracts/checkpoint.ts';
import type { ConverseResult } from '../contracts/call-workflow.ts';
import type { CallEvent, WorkerMessage } from '../contracts/media-control.ts';
import type { MediaNode } from '../contracts/media-node.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import type { TalkDeps, Recalled } from './deps.ts';
import { EventWindow } from './event-window.ts';
import type { Progress } from './progress.ts';
import { RecordWriter } from './record-writer.ts';
import { ToolRunner, type ToolCallEvent } from './tool-runner.ts';
import { TurnBatches } from './turn-batches.ts';

export type EndedEvent = Extract<CallEvent, { kind: 'ended' }>;

type Send = (message: WorkerMessage) => void;

export interface RelayOptions {
  readonly deps: TalkDeps;
  readonly plan: CallPlan;
  readonly before: Progress;
  readonly nowMs: () => number;
  /** Default true. False: the node keeps every event, for somebody who will ask for them later. */
  readonly acknowledges?: boolean;
}

export class Relay {
  readonly batches: TurnBatches;
  readonly tools: ToolRunner;
  readonly writer: RecordWriter;
  #window: EventWindow;
  readonly #turns: Map<number, TurnRecord>;
  readonly #rounds = new Map<number, ToolRound>();
  #checkpoint: Checkpoint | null = null;
  #unrecordedNode: string | null = null;
  readonly #nowMs: () => number;
  readonly #acknowledges: boolean;
  #send: Send | null = null;
  #progress: Progress;
  #ended: EndedEvent | null = null;

  constructor({ deps, plan, before, nowMs, acknowledges = true }: RelayOptions) {
    this.#acknowledges = acknowledges;
    this.#progress = before;
    this.#nowMs = nowMs;
    this.#window = new EventWindow(before.lastSeq);
    this.#turns = new Map(plan.transcript.map((turn) => [turn.sequence, turn]));
    this.batches = new TurnBatches(before);
    this.tools = new ToolRunner(deps, plan);
    this.writer = new RecordWriter({
      calls: deps.calls,
      callId: plan.callId,
      tenantId: plan.tenantId,
      limit: deps.limits.bufferedEvents,
      logger: deps.logger,
      onDurable: ({ epoch, seq }) => epoch === this.#progress.epoch && this.#handled(seq),
    });
  }

  get progress(): Progress {
    // To resume after an event is to acknowledge it.
    const lastSeq = this.#acknowledges ? this.#window.acknowledged : 0;
    return { ...this.#progress, lastSeq, ...this.batches.sent };
  }

  get ended(): EndedEvent | null {
    return this.#ended;
  }

  /** All turns known so far, oldest first. */
  get transcript(): TurnRecord[] {
    return [...this.#turns.values()].sort((a, b) => a.sequence - b.sequence);
  }

  get resumePoint(): ResumePoint {
    return { checkpoint: this.#checkpoint, rounds: [...this.#rounds.values()] };
  }

  /** Another node holds the call from here on, and numbers its events from 1. */
  moveTo(node: MediaNode, epoch: number): void {
    this.detach();
    this.#window = new EventWindow(0);
    this.#progress = { ...this.#progress, node, epoch, lastSeq: 0 };
    this.#unrecordedNode = node.id;
  }

  /** Which node holds the call now, for the record; nothing when that is written already. */
  recordNode(): void {
    if (this.#unrecordedNode !== null) this.writer.add({ kind: 'node', epoch: 0, seq: 0, mediaNode: this.#unrecordedNode });
    this.#unrecordedNode = null;
  }

  /** What others have kept of this call; what this attempt has seen itself is newer. */
  learn({ turns, resume }: Recalled): void {
    for (const turn of turns) {
      if (this.#turns.has(turn.sequence)) continue;
      this.#turns.set(turn.sequence, turn);
      this.#keep(0, turn);
    }
    this.#checkpoint ??= resume.checkpoint;
    for (const round of resume.rounds) if (!this.#rounds.has(round.id)) this.#rounds.set(round.id, round);
  }

  remember(checkpoint: Checkpoint | null, rounds: readonly ToolRound[]): void {
    this.#checkpoint = checkpoint ?? this.#checkpoint;
    for (const round of rounds) this.#rounds.set(round.id, round);
  }

  /** From now on answers go here. What a former socket lost comes again: the node repeats what was not acknowledged. */
  attach(send: Send): void {
    this.#send = send;
  }

  detach(): void {
    this.#send = null;
  }

  /** @throws HoldfastError limit_exceeded */
  receive(seq: number, event: CallEvent): void {
    if (event.kind === 'tool_call') return this.#runTool(seq, event);
    if (!this.#window.receive(seq)) return;
    if (event.kind === 'state') {
      this.#progress = { ...this.#progress, state: event.state };
      this.#handled(seq);
    } else if (event.kind === 'answered') {
      this.#progress = { ...this.#progress, answeredAt: this.#progress.answeredAt ?? event.at };
      this.writer.add({ kind: 'answered', epoch: this.#progress.epoch, seq, at: event.at });
    } else if (event.kind === 'turn') {
      this.#turns.set(event.turn.sequence, event.turn);
      this.#keep(seq, event.turn);
    } else {
      // Never acknowledged: the node keeps it for a while, for an attempt that follows one whose result Temporal did not take.
      this.#ended = event;
    }
  }

  result(ended: EndedEvent, unstoredTurns: readonly TurnRecord[]): ConverseResult {
    const { answeredAt, turnCount } = this.#progress;
    return {
      disposition: ended.disposition,
      reason: ended.reason,
      answeredAt,
      endedAt: ended.at,
      turnCount,
      usage: ended.usage,
      latestTurns: this.batches.waiting,
      unstoredTurns,
    };
  }

  #keep(seq: number, turn: TurnRecord): void {
    this.#progress = { ...this.#progress, turnCount: Math.max(this.#progress.turnCount, turn.sequence + 1) };
    this.batches.add(turn, this.#nowMs());
    this.writer.add({ kind: 'turn', epoch: this.#progress.epoch, seq, turn });
  }

  /** A repeated call means that the answer was lost with its socket: the same answer is sent again. */
  #runTool(seq: number, event: ToolCallEvent): void {
    this.#window.receive(seq);
    const socket = this.#send;
    void this.tools.run(event).then((answer) => {
      // Only the socket that carried this call may answer it; after a re-attach the repeated call does.
      if (socket === null || socket !== this.#send) return;
      socket({ type: 'tool_result', ...answer });
      this.#handled(seq);
    });
  }

  #handled(seq: number): void {
    const acknowledge = this.#window.handled(seq);
    if (acknowledge !== null && this.#acknowledges) this.#send?.({ type: 'ack', seq: acknowledge });
  }
}
