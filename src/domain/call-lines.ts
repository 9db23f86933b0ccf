/**
 * Who may have one more line. A line is a call that is admitted and not over. Pure: the counts are
 * arguments, taken in one moment in which nobody else is admitted.
 */
import type { TenantPlan } from './call.ts';

/** Simultaneous calls of a tenant that has no number of its own. */
export const linesOfPlan: Readonly<Record<TenantPlan, number>> = { starter: 10, growth: 50, custom: 250 };

/** When fewer lines than this part of all are free, the platform counts as short of them. */
const RESERVE_DIVISOR = 5;

/** Open calls at one moment. */
export interface CallLoad {
  readonly open: number;
  readonly openOfTenant: number;
  /** Tenants with an open call, counting the one that asks. */
  readonly busyTenants: number;
  /** Tenants that could be called at all; two stands for "several". */
  readonly callableTenants: number;
}

export interface LineLimits {
  readonly tenant: number;
  /** The operator's number for the whole platform. */
  readonly platform: number;
  /** What the live media nodes can hold together. */
  readonly mediaCapacity: number;
}

export type LineRefusal = 'over_limit' | 'over_share' | 'no_capacity';

/**
 * Null: the line is free to take.
 *
 *   lines   0 ───────────────────────────── 80 % ──────────── 100 %
 *   for     anyone, up to the own limit   │ those below their fair share
 *
 * The fair share is all lines divided by the tenants that are in calls, and never more than half:
 * the last fifth is thereby kept for somebody else. A platform with one tenant keeps nothing back.
 */
export function lineRefusal(load: CallLoad, limits: LineLimits): LineRefusal | null {
  if (load.openOfTenant >= limits.tenant) return 'over_limit';
  if (load.open >= limits.platform) return 'no_capacity';
  if (load.callableTenants < 2) return null;
  const lines = Math.min(limits.platform, limits.mediaCapacity);
  const reserve = Math.ceil(lines / RESERVE_DIVISOR);
  const fairShare = Math.max(1, Math.floor(lines / Math.max(2, load.busyTenants)));
  return lines - load.open <= reserve && load.openOfTenant >= fairShare ? 'over_share' : null;
}
