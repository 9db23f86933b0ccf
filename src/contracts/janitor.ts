/** The janitor's workflow: what it is given and what it answers. Ids only, never a number or a word of a call. */
import type { FindingKind, Repair } from '../domain/findings.ts';

export const JANITOR_WORKFLOW = 'janitor';

/** One schedule per task queue: stacks that share a namespace keep to themselves. */
export const janitorScheduleId = (taskQueue: string): string => `janitor-${taskQueue}`;

export interface JanitorRequest {
  /** When a matter was first seen: a finding's "kind subject" → Unix ms. From the run before. */
  readonly suspects: Readonly<Record<string, number>>;
}

export interface JanitorReport {
  /** ISO 8601. */
  readonly at: string;
  readonly found: readonly FoundThing[];
  /** Found, in full; `found` is cut at JANITOR_FOUND_MAX. */
  readonly counts: Readonly<Partial<Record<FindingKind, number>>>;
  /** Seen in this run, but not yet for long enough to be sure. */
  readonly watching: Readonly<Partial<Record<FindingKind, number>>>;
  /** What could not be looked at; nothing that would need it was judged. */
  readonly unseen: readonly WorldPart[];
  readonly suspects: Readonly<Record<string, number>>;
}

export const worldParts = ['pbx', 'sessions', 'openCalls', 'workflows', 'liveStates'] as const;
export type WorldPart = (typeof worldParts)[number];

export interface FoundThing {
  readonly kind: FindingKind;
  /** Id of the channel, bridge, call or media node. */
  readonly subject: string;
  readonly callId: string | null;
  readonly repair: Repair;
  readonly outcome: 'repaired' | 'reported' | 'failed';
}

export const JANITOR_FOUND_MAX = 100;
