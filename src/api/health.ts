/** GET /healthz: asks each dependency, each within its own time. */
import type { Health } from '../contracts/rest-service.ts';

export type Probe = () => Promise<void>;
export interface Probes {
  readonly postgres: Probe;
  readonly redis: Probe;
  readonly temporal: Probe;
}

export const PROBE_TIMEOUT_MS = 1_000;

type DependencyHealth = Health['dependencies']['postgres'];

/** A process with a bad configuration does not start, so whoever answers has a valid one. */
export async function checkHealth(probes: Probes): Promise<Health> {
  const [postgres, redis, temporal] = await Promise.all([probe(probes.postgres), probe(probes.redis), probe(probes.temporal)]);
  const dependencies = { postgres, redis, temporal };
  const down = Object.entries(dependencies)
    .filter(([, state]) => state.status === 'down')
    .map(([name]) => name);
  return {
    status: down.length === 0 ? 'ok' : 'unavailable',
    config_valid: true,
    message: down.length === 0 ? 'Everything is reachable' : `Not reachable: ${down.join(', ')}`,
    dependencies,
  };
}

async function probe(ask: Probe): Promise<DependencyHealth> {
  const startedMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), PROBE_TIMEOUT_MS);
  });
  try {
    await Promise.race([ask(), timeout]);
    return { status: 'up', latency_ms: Math.round(performance.now() - startedMs) };
  } catch {
    // The cause may hold host names and users; the log has it.
    return { status: 'down', message: `did not answer within ${PROBE_TIMEOUT_MS} ms, or refused` };
  } finally {
    clearTimeout(timer);
  }
}
