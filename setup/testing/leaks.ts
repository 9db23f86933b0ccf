/**
 * Processes that a run left behind. Every process started below us inherits a mark in its
 * environment, so even one that was orphaned and has another parent by now is found.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { RUN_MARK } from '../stack/child.ts';

export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

export function leftovers(mark: string): Leftover[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => pid !== process.pid && isMarked(pid, mark)).map((pid) => ({ pid, command: commandOf(pid) }));
}

function isMarked(pid: number, mark: string): boolean {
  // Ended meanwhile, or another user's: not ours either way.
  return read(`/proc/${pid}/environ`).split('\0').includes(`${RUN_MARK}=${mark}`);
}

const commandOf = (pid: number): string => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 200);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
