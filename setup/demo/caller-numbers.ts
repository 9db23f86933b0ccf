import { randomInt } from 'node:crypto';

/** Distinct numbers from the ranges that are reserved for fiction. */
export function callerNumbers(count: number): string[] {
  const areas = [205, 206, 212, 213, 303, 305, 312, 404, 415, 503, 602, 617, 702, 713, 801, 901];
  const numbers = new Set<string>();
  while (numbers.size < count) numbers.add(`+1${areas[randomInt(areas.length)]}55501${String(randomInt(100)).padStart(2, '0')}`);
  return [...numbers];
}
