/** One stage (hearing, thinking, speaking) with its providers in order of preference, and how each has been doing. */
import { HoldfastError } from '../../domain/errors.ts';
import type { Work } from '../ports.ts';
import { Circuit, LONGEST_REST_MS } from './circuit.ts';
import { HedgeBudget } from './hedge-budget.ts';
import { deadlineMs, RecentLatencies, type DeadlineLimits } from './recent-latencies.ts';

export type StageName = 'stt' | 'llm' | 'tts';

export interface StageLimits {
  /** To the first token, first byte, or the whole transcript. */
  readonly first: DeadlineLimits;
  /** Between two pieces of a stream. */
  readonly gap: DeadlineLimits;
  /** After so long without a sign of life a request is given up, also where nobody else can be asked. */
  readonly patienceMs: number;
}

export interface MemberOptions<P> {
  readonly name: string;
  readonly provider: P;
  /** null: what the call's plan says. */
  readonly model: string | null;
  readonly voice: string | null;
}

export interface Member<P> extends MemberOptions<P> {
  readonly first: RecentLatencies;
  readonly gaps: RecentLatencies;
  readonly circuit: Circuit;
}

export interface Candidate<P> {
  readonly member: Member<P>;
  /** Only such a one is asked while another may still answer. */
  readonly healthy: boolean;
}

/** For the log: names of providers and milliseconds, nothing of the call. */
export interface FailoverEvent {
  readonly stage: StageName;
  readonly kind: 'hedged' | 'hedge_refused' | 'failed' | 'broke_off' | 'resting' | 'deaf';
  readonly provider: string;
  readonly next?: string;
  readonly afterMs?: number;
  readonly error?: unknown;
}

export interface StageCounts {
  requests: number;
  /** Requests sent to a second provider while the first might still answer. */
  hedges: number;
  hedgesRefused: number;
  hedgesWon: number;
  failures: number;
}

export interface StageOptions<P> {
  readonly name: StageName;
  readonly members: readonly MemberOptions<P>[];
  readonly limits: StageLimits;
  readonly onEvent?: (event: FailoverEvent) => void;
}

export class Stage<P> {
  readonly name: StageName;
  readonly limits: StageLimits;
  readonly members: readonly Member<P>[];
  readonly counts: StageCounts = { requests: 0, hedges: 0, hedgesRefused: 0, hedgesWon: 0, failures: 0 };
  readonly #budget = new HedgeBudget();
  readonly #onEvent: (event: FailoverEvent) => void;

  constructor(options: StageOptions<P>) {
    this.name = options.name;
    this.limits = options.limits;
    this.members = options.members.map((member) => ({
      ...member,
      first: new RecentLatencies(),
      gaps: new RecentLatencies(),
      circuit: new Circuit(),
    }));
    this.#onEvent = options.onEvent ?? (() => undefined);
  }

  /** Everybody, the healthy ones first: a caller is better served by a bad provider than by none. */
  candidates(work: Work | undefined): Candidate<P>[] {
    this.counts.requests += 1;
    this.#budget.requested();
    const nowMs = performance.now();
    const all = this.members.map((member) => ({
      member,
      healthy: member.circuit.allows(nowMs) && work?.avoid.has(member.name) !== true,
    }));
    return [...all.filter((each) => each.healthy), ...all.filter((each) => !each.healthy)];
  }

  firstDeadlineMs(member: Member<P>): number {
    return deadlineMs(member.first, this.limits.first, performance.now());
  }

  gapLimitMs(member: Member<P>): number {
    return deadlineMs(member.gaps, this.limits.gap, performance.now());
  }

  mayHedge(late: Member<P>, next: Member<P>, afterMs: number): boolean {
    const allowed = this.#budget.spend();
    if (allowed) this.counts.hedges += 1;
    else this.counts.hedgesRefused += 1;
    this.#onEvent({ stage: this.name, kind: allowed ? 'hedged' : 'hedge_refused', provider: late.name, next: next.name, afterMs });
    return allowed;
  }

  began(member: Member<P>): void {
    member.circuit.began(performance.now());
  }

  /** The first token, byte or transcript came. What is heard of the rest is `succeeded` or `brokeOff`. */
  produced(member: Member<P>, tookMs: number, hedge: boolean): void {
    member.first.note(tookMs, performance.now());
    if (hedge) this.counts.hedgesWon += 1;
  }

  succeeded(member: Member<P>): void {
    member.circuit.succeeded();
  }

  failed(member: Member<P>, error: unknown): void {
    this.counts.failures += 1;
    this.#onEvent({ stage: this.name, kind: 'failed', provider: member.name, error });
    this.#strike(member, retryAfterMsOf(error));
  }

  brokeOff(member: Member<P>, error: unknown): void {
    this.counts.failures += 1;
    this.#onEvent({ stage: this.name, kind: 'broke_off', provider: member.name, error });
    this.#strike(member, 0);
  }

  /** Another provider, asked later, was there first. */
  overtaken(member: Member<P>): void {
    this.#strike(member, 0);
  }

  /** It understood nothing of what another one understood. */
  deaf(member: Member<P>, rescuer: Member<P>): void {
    this.#onEvent({ stage: this.name, kind: 'deaf', provider: member.name, next: rescuer.name });
    this.#strike(member, 0);
  }

  timeout(what: string): HoldfastError {
    return new HoldfastError(`${this.name}_failed`, `AI provider ${what}`, { retryable: true });
  }

  #strike(member: Member<P>, retryAfterMs: number): void {
    if (member.circuit.failed(performance.now(), retryAfterMs)) this.#onEvent({ stage: this.name, kind: 'resting', provider: member.name });
  }
}

function retryAfterMsOf(error: unknown): number {
  const wished = error instanceof HoldfastError ? error.details['retryAfterMs'] : undefined;
  return typeof wished === 'number' ? Math.min(wished, LONGEST_REST_MS) : 0;
}
