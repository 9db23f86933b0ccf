/** Memory and CPU time of processes with everything they started, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  readonly rssBytes: number;
  readonly cpuSeconds: number;
}

/** getconf CLK_TCK and getconf PAGESIZE on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Its own and that of its ended children. */
  readonly ticks: number;
  readonly rssBytes: number;
}

/** Per name: the process and those of its living descendants that have no name of their own. Time of descendants that ended is in their parent's. */
export function usageOf(pids: Readonly<Record<string, number>>): Record<string, Usage> {
  const stats = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readStat(Number(name)) : []));
  const children = Map.groupBy(stats, (stat) => stat.parent);
  const byPid = new Map(stats.map((stat) => [stat.pid, stat]));
  const named = new Set(Object.values(pids));
  const sum = (stat: Stat): Usage => {
    const below = (children.get(stat.pid) ?? []).filter((child) => !named.has(child.pid)).map(sum);
    return {
      rssBytes: below.reduce((total, each) => total + each.rssBytes, stat.rssBytes),
      cpuSeconds: below.reduce((total, each) => total + each.cpuSeconds, stat.ticks / TICKS_PER_SECOND),
    };
  };
  return Object.fromEntries(
    Object.entries(pids).map(([name, pid]) => {
      const stat = byPid.get(pid);
      return [name, stat === undefined ? { rssBytes: 0, cpuSeconds: 0 } : sum(stat)];
    }),
  );
}

function readStat(pid: number): Stat[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold spaces and parentheses; the fields after its last ')' begin with the third.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const field = (number: number): number => fields[number - 3] ?? 0;
    return [{ pid, parent: field(4), ticks: field(14) + field(15) + field(16) + field(17), rssBytes: field(24) * PAGE_BYTES }];
  } catch {
    return [];
  }
}

/** Watches until stopped; RSS is the highest seen, CPU what was used meanwhile. */
export function watchUsage(pids: () => Readonly<Record<string, number>>, intervalMs = 500): { stop(): Record<string, Usage> } {
  const before = usageOf(pids());
  const peak: Record<string, number> = {};
  const look = (): void => {
    for (const [name, { rssBytes }] of Object.entries(usageOf(pids()))) peak[name] = Math.max(peak[name] ?? 0, rssBytes);
  };
  const timer = setInterval(look, intervalMs);
  return {
    stop() {
      clearInterval(timer);
      look();
      const after = usageOf(pids());
      return Object.fromEntries(
        Object.entries(after).map(([name, usage]) => [
          name,
          { rssBytes: peak[name] ?? usage.rssBytes, cpuSeconds: usage.cpuSeconds - (before[name]?.cpuSeconds ?? 0) },
        ]),
      );
    },
  };
}
