/** What the janitor can find, how long it must have been so, and what is done about it. */

export const repairs = [
  'give_back', // the caller goes to the dialplan's spoken fallback; nobody is hung up on
  'hang_up_media', // never a caller's channel
  'destroy_bridge',
  'end_session', // with a goodbye
  'cancel_workflow',
  'terminate_workflow',
  'close_record',
  'forget_live_state',
  'report',
] as const;
export type Repair = (typeof repairs)[number];

export const findingKinds = [
  'caller_unserved', // in Holdfast's hands, and nothing is left that would serve them
  'caller_waiting', // the call's workflow lives, but no media node has the caller
  'media_channel_orphan',
  'bridge_orphan',
  'session_unattended', // a talk whose workflow was closed under it
  'workflow_stuck', // running, though its caller is gone and no node has the talk
  'call_without_end', // a record that nothing will close any more
  'call_without_workflow', // admitted while Temporal was away, and not started since
  'live_state_stale', // Redis shows a call that is over as live
  'node_silent',
] as const;
export type FindingKind = (typeof findingKinds)[number];

export interface Finding {
  readonly kind: FindingKind;
  /** Id of the channel, bridge, call or node; no PII. */
  readonly subject: string;
  readonly callId: string | null;
  readonly tenantId: string | null;
  readonly repair: Repair;
  /** Unix time of the first look that showed it. */
  readonly sinceMs: number;
}

/** Two looks of one run lie further apart than this. */
const TWO_LOOKS_MS = 4_000;
/** A takeover, or a worker that comes back, is faster than this by an order of magnitude. */
const HANDOVER_MS = 30_000;
/** A goodbye, the wait for PostgreSQL (retried at least each 15 s), and closing passes of `converse` all fit in. */
const CLOSING_MS = 90_000;

/** How long something must have been seen before it is acted upon. */
export const graceMs: Readonly<Record<FindingKind, number>> = {
  caller_unserved: TWO_LOOKS_MS,
  caller_waiting: HANDOVER_MS,
  media_channel_orphan: TWO_LOOKS_MS,
  bridge_orphan: TWO_LOOKS_MS,
  session_unattended: HANDOVER_MS,
  workflow_stuck: CLOSING_MS,
  call_without_end: TWO_LOOKS_MS,
  call_without_workflow: TWO_LOOKS_MS,
  live_state_stale: TWO_LOOKS_MS,
  node_silent: TWO_LOOKS_MS,
};

/** A workflow that did not follow its cancellation for this long is terminated; its record is closed by the next run. */
export const TERMINATE_AFTER_MS = CLOSING_MS + 60_000;
/** A record younger than this may still be on its way: its workflow is not visible yet, its call is being set up. */
export const YOUNG_CALL_MS = 60_000;
/** A call without a workflow is started by the sweep of calls that were admitted without Temporal; after this it never will be. */
export const NEVER_STARTED_MS = 900_000;

/** The same matter in two looks or two runs. */
export const keyOf = ({ kind, subject }: Pick<Finding, 'kind' | 'subject'>): string => `${kind} ${subject}`;
