/** One run of the janitor: two looks, what both of them show, and its repair. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { JANITOR_FOUND_MAX, type JanitorReport, type JanitorRequest } from '../../contracts/janitor.ts';
import { compareWorlds } from '../../domain/compare-worlds.ts';
import type { Finding, FindingKind } from '../../domain/findings.ts';
import { errorFacts } from '../../telemetry.ts';
import { asTemporalFailure } from '../failure.ts';
import type { JanitorDeps } from './deps.ts';
import { lookAround } from './look-around.ts';
import { repairAll } from './repair.ts';
import { TemporalView } from './temporal-view.ts';

export interface JanitorActivities {
  /** Looks at PBX, media nodes, Temporal, PostgreSQL and Redis, repairs what is broken for certain, and tells. Idempotent. */
  sweepWorld(request: JanitorRequest): Promise<JanitorReport>;
}

/** Nothing that is being set up or taken down stays the same for so long in two looks. */
const BETWEEN_LOOKS_MS = 5_000;
/** Matters remembered from run to run; more than this at once is an outage, not an orphan. */
const SUSPECTS_MAX = 1_000;

export function createJanitorActivities(deps: JanitorDeps): JanitorActivities {
  return {
    async sweepWorld(request) {
      const { client, info } = Context.current();
      try {
        return await sweepWorld(deps, new TemporalView(client, info.taskQueue), request);
      } catch (error) {
        throw asTemporalFailure(error);
      }
    },
  };
}

async function sweepWorld(deps: JanitorDeps, temporal: TemporalView, { suspects }: JanitorRequest): Promise<JanitorReport> {
  const first = await lookAround(deps, temporal);
  await sleep(BETWEEN_LOOKS_MS);
  const second = await lookAround(deps, temporal);
  const comparison = compareWorlds(first.world, second.world, suspects);
  const found = await repairAll({ deps, temporal, teller: second.teller }, comparison.due);
  await temporal.forgetOldRuns().catch((error: unknown) => {
    deps.logger.warn({ event: 'janitor_runs_kept', error: errorFacts(error) }, 'Old runs of the janitor could not be removed');
  });
  return {
    at: new Date(second.world.atMs).toISOString(),
    found: found.slice(0, JANITOR_FOUND_MAX),
    counts: countsOf(comparison.due),
    watching: countsOf(comparison.watched),
    unseen: [...new Set([...first.unseen, ...second.unseen])],
    suspects: Object.fromEntries(Object.entries(comparison.suspects).slice(0, SUSPECTS_MAX)),
  };
}

function countsOf(findings: readonly Finding[]): Partial<Record<FindingKind, number>> {
  const counts: Partial<Record<FindingKind, number>> = {};
  for (const { kind } of findings) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
