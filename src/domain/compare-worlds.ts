/**
 * Two looks at the world → what is wrong for certain. Pure. The rule that matters most: a call that
 * anything still serves is never touched, and what could not be seen counts as serving.
 */
import { graceMs, keyOf, NEVER_STARTED_MS, TERMINATE_AFTER_MS, YOUNG_CALL_MS, type Finding, type Repair } from './findings.ts';
import type { World } from './world.ts';

/** When a matter was first seen, by keyOf; handed from run to run. */
export type Suspects = Readonly<Record<string, number>>;

export interface Comparison {
  /** To be repaired or reported now. */
  readonly due: readonly Finding[];
  /** Seen in both looks, but not for long enough. */
  readonly watched: readonly Finding[];
  /** For the next run. */
  readonly suspects: Suspects;
}

type Suspicion = Omit<Finding, 'sinceMs'>;

/** @param before what the previous run suspected. Only what both looks show counts. */
export function compareWorlds(first: World, second: World, before: Suspects = {}): Comparison {
  const earlier = new Set(suspicionsIn(first).map(keyOf));
  const findings = suspicionsIn(second)
    .filter((suspicion) => earlier.has(keyOf(suspicion)))
    .map((suspicion): Finding => ({ ...suspicion, sinceMs: before[keyOf(suspicion)] ?? first.atMs }))
    .map((finding) => escalated(finding, second.atMs));
  const due = findings.filter((finding) => second.atMs - finding.sinceMs >= graceMs[finding.kind]);
  const watched = findings.filter((finding) => !due.includes(finding));
  return { due, watched, suspects: Object.fromEntries(findings.map((finding) => [keyOf(finding), finding.sinceMs])) };
}

function escalated(finding: Finding, nowMs: number): Finding {
  const deaf = finding.repair === 'cancel_workflow' && nowMs - finding.sinceMs >= TERMINATE_AFTER_MS;
  return deaf ? { ...finding, repair: 'terminate_workflow' } : finding;
}

function suspicionsIn(world: World): Suspicion[] {
  const calls = new Calls(world);
  return [
    ...pbxSuspicions(world, calls),
    ...sessionSuspicions(world, calls),
    ...workflowSuspicions(world, calls),
    ...recordSuspicions(world, calls),
    ...liveStateSuspicions(world, calls),
    ...world.silentNodes.map((node) => matter('node_silent', node, { repair: 'report' })),
  ];
}

/** Who still cares for a call. */
type Care =
  /** A media node has it. */
  | 'served'
  /** Nobody has it now, but somebody will: its workflow runs, or is still to be started. */
  | 'expected'
  | 'over'
  | 'unknown';

class Calls {
  readonly #world: World;
  /** Newest epoch by call. */
  readonly #epochs = new Map<string, number>();
  readonly #open: ReadonlySet<string>;

  constructor(world: World) {
    this.#world = world;
    for (const { callId, epoch } of world.sessions ?? []) this.#epochs.set(callId, Math.max(epoch, this.epochOf(callId) ?? 0));
    this.#open = new Set(world.openCalls?.map(({ callId }) => callId));
  }

  epochOf(callId: string): number | undefined {
    return this.#epochs.get(callId);
  }

  workflow(callId: string): 'running' | 'closed' | 'missing' | undefined {
    return this.#world.workflows?.get(callId)?.status;
  }

  careOf(callId: string): Care {
    if (this.#epochs.has(callId)) return 'served';
    const workflow = this.workflow(callId);
    if (this.#world.sessions === null || this.#world.openCalls === null || workflow === undefined) return 'unknown';
    if (workflow === 'running' || (workflow === 'missing' && this.#open.has(callId))) return 'expected';
    return 'over';
  }
}

function pbxSuspicions({ pbx }: World, calls: Calls): Suspicion[] {
  if (pbx === null) return [];
  const callers = pbx.callers.flatMap(({ channelId, callId, held }) => {
    const care = held ? calls.careOf(callId) : 'unknown';
    if (care === 'over') return matter('caller_unserved', channelId, { callId, repair: 'give_back' });
    return care === 'expected' ? matter('caller_waiting', channelId, { callId, repair: 'give_back' }) : [];
  });
  const media = pbx.media
    .filter(({ callId, epoch }) => calls.careOf(callId) === 'over' || (calls.epochOf(callId) ?? 0) > epoch)
    .map(({ channelId, callId }) => matter('media_channel_orphan', channelId, { callId, repair: 'hang_up_media' }));
  const bridges = pbx.bridges
    .filter(({ callId }) => calls.careOf(callId) === 'over')
    .map(({ bridgeId, callId }) => matter('bridge_orphan', bridgeId, { callId, repair: 'destroy_bridge' }));
  return [...callers, ...media, ...bridges];
}

/** Only a workflow that was there and is closed: a call that was admitted without Temporal has none yet. */
function sessionSuspicions({ sessions }: World, calls: Calls): Suspicion[] {
  return (sessions ?? [])
    .filter(({ callId, epoch }) => epoch > 0 && calls.workflow(callId) === 'closed')
    .map(({ callId }) => matter('session_unattended', callId, { callId, repair: 'end_session' }));
}

/** PostgreSQL must have been seen: a workflow that waits for it to write an end is in order. */
function workflowSuspicions({ pbx, sessions, openCalls, workflows }: World, calls: Calls): Suspicion[] {
  if (pbx === null || sessions === null || openCalls === null) return [];
  const present = new Set(pbx.callers.map(({ callId }) => callId));
  return [...(workflows ?? [])]
    .filter(([callId, { status }]) => status === 'running' && !present.has(callId) && calls.epochOf(callId) === undefined)
    .map(([callId]) => matter('workflow_stuck', callId, { callId, repair: 'cancel_workflow' }));
}

function recordSuspicions({ atMs, pbx, openCalls, sessions }: World, calls: Calls): Suspicion[] {
  if (sessions === null) return [];
  const present = new Set(pbx?.callers.filter(({ held }) => held).map(({ callId }) => callId));
  return (openCalls ?? []).flatMap(({ callId, tenantId, startedAtMs }) => {
    const ageMs = atMs - startedAtMs;
    const workflow = calls.workflow(callId);
    if (ageMs < YOUNG_CALL_MS || calls.epochOf(callId) !== undefined) return [];
    if (workflow === 'closed') return matter('call_without_end', callId, { callId, tenantId, repair: 'close_record' });
    if (workflow !== 'missing') return [];
    const never = ageMs >= NEVER_STARTED_MS && pbx !== null && !present.has(callId);
    if (never) return matter('call_without_end', callId, { callId, tenantId, repair: 'close_record' });
    return matter('call_without_workflow', callId, { callId, tenantId, repair: 'report' });
  });
}

function liveStateSuspicions({ liveStates }: World, calls: Calls): Suspicion[] {
  return (liveStates ?? [])
    .filter(({ callId, state, expires }) => (state !== 'ended' || !expires) && calls.careOf(callId) === 'over')
    .map(({ callId }) => matter('live_state_stale', callId, { callId, repair: 'forget_live_state' }));
}

function matter(
  kind: Finding['kind'],
  subject: string,
  { callId = null, tenantId = null, repair }: { callId?: string | null; tenantId?: string | null; repair: Repair },
): Suspicion {
  return { kind, subject, callId, tenantId, repair };
}
