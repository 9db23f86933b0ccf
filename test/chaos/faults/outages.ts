/** Something that Holdfast needs is away for a minute, with calls live and others arriving. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArrivalOutcome, Fault } from '../fault.ts';

const AWAY_MS = 60_000;
const ARRIVALS = 5;

function outage(name: string, parts: readonly string[], arrivalsAre: ArrivalOutcome): Fault {
  return {
    name,
    what: `${parts.join(' and ')} away for ${AWAY_MS / 1_000} s; ${ARRIVALS} calls arrive meanwhile`,
    needs: { mediaNodes: 2, workers: 1 },
    arrivals: ARRIVALS,
    arrivalsAre,
    async strike({ world: { stack } }) {
      const all = parts.map((each) => stack.part(each));
      await Promise.all(all.map((part) => part.down()));
      await sleep(AWAY_MS);
      await Promise.all(all.map((part) => part.up()));
    },
  };
}

export const temporalDown = outage('temporal-down', ['temporal'], 'served');
export const postgresDown = outage('postgres-down', ['postgres'], 'apology');
export const redisDown = outage('redis-down', ['redis'], 'served');
export const databasesDown = outage('databases-down', ['postgres', 'redis'], 'apology');
