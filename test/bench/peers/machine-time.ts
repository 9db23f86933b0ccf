/** The machine's time from /proc/stat, so that a row that was measured beside something else is known for it. */
export interface MachineTime {
  /** Clock ticks of all cores. */
  readonly total: number;
  /** That the host gave to other guests. */
  readonly stolen: number;
}

/**
 *   cpu  user nice system idle iowait irq softirq steal guest guest_nice
 * Guests are counted in user already.
 */
export function machineTime(stat: string): MachineTime {
  const fields = (stat.split('\n')[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number);
  return { total: fields.reduce((sum, ticks) => sum + ticks, 0), stolen: fields[7] ?? 0 };
}

export function stealShare(before: MachineTime, after: MachineTime): number {
  const total = after.total - before.total;
  return total === 0 ? 0 : (after.stolen - before.stolen) / total;
}
