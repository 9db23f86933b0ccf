/** Does what the findings say. Everything here may be repeated, and may come too late, without harm. */
import type { FoundThing } from '../../contracts/janitor.ts';
import type { MediaNode } from '../../contracts/media-node.ts';
import { SWEEP_MAX, type Sweep } from '../../contracts/pbx-inventory.ts';
import { keyOf, type Finding, type Repair } from '../../domain/findings.ts';
import { errorFacts } from '../../telemetry.ts';
import type { JanitorDeps } from './deps.ts';
import { sweepAt } from './node-client.ts';
import type { TemporalView } from './temporal-view.ts';

export interface RepairContext {
  readonly deps: JanitorDeps;
  readonly temporal: TemporalView;
  /** Which node can reach a channel, bridge or session. */
  readonly teller: ReadonlyMap<string, MediaNode>;
}

/** What a node does for us, and the list of the sweep that asks for it. */
const bySweep: Partial<Record<Repair, keyof Sweep>> = {
  give_back: 'channels',
  hang_up_media: 'channels',
  destroy_bridge: 'bridges',
  end_session: 'calls',
};

export async function repairAll(context: RepairContext, findings: readonly Finding[]): Promise<FoundThing[]> {
  const swept = await sweepNodes(
    context,
    findings.filter(({ repair }) => bySweep[repair] !== undefined),
  );
  const things: FoundThing[] = [];
  for (const finding of findings) {
    const { kind, subject, callId, repair } = finding;
    const outcome = bySweep[repair] === undefined ? await repairOne(context, finding) : swept.has(keyOf(finding)) ? 'repaired' : 'failed';
    things.push({ kind, subject, callId, repair, outcome });
    context.deps.logger.warn({ event: 'janitor_found', kind, subject, callId, repair, outcome }, 'The janitor found something');
  }
  return things;
}

async function repairOne({ deps, temporal }: RepairContext, finding: Finding): Promise<FoundThing['outcome']> {
  const { repair, subject, tenantId } = finding;
  try {
    if (repair === 'report') return 'reported';
    if (repair === 'cancel_workflow') await temporal.cancel(subject);
    if (repair === 'terminate_workflow') await temporal.terminate(subject);
    if (repair === 'forget_live_state') await deps.forgetLiveState(subject);
    if (repair === 'close_record' && tenantId !== null) await deps.closeAbandonedCall({ tenantId, callId: subject });
    return 'repaired';
  } catch (error) {
    failed(deps, error);
    return 'failed';
  }
}

/** @returns the keys of what is gone. */
async function sweepNodes({ deps, teller }: RepairContext, findings: readonly Finding[]): Promise<Set<string>> {
  const byNode = Map.groupBy(findings, ({ subject }) => teller.get(subject));
  const gone = new Set<string>();
  await Promise.all(
    [...byNode].map(async ([node, theirs]) => {
      if (node === undefined) return;
      const subjects = (list: keyof Sweep): string[] =>
        theirs
          .filter(({ repair }) => bySweep[repair] === list)
          .map(({ subject }) => subject)
          .slice(0, SWEEP_MAX);
      try {
        const sweep = { channels: subjects('channels'), bridges: subjects('bridges'), calls: subjects('calls') };
        const removed = new Set(await sweepAt(node, deps.controlSecret, sweep));
        for (const finding of theirs) if (removed.has(finding.subject)) gone.add(keyOf(finding));
      } catch (error) {
        failed(deps, error);
      }
    }),
  );
  return gone;
}

function failed({ logger }: JanitorDeps, error: unknown): void {
  logger.error({ event: 'janitor_repair_failed', error: errorFacts(error) }, 'A repair did not work; the next run tries again');
}
