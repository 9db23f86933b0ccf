/** What the janitor says when all calls of a world are over: nothing, if the world is whole. */
import { setTimeout as sleep } from 'node:timers/promises';
import { runJanitorOf } from '../../setup/stack/janitor.ts';
import type { JanitorReport } from '../../src/contracts/janitor.ts';
import type { World } from './world.ts';

/** What is watched after this is no longer on its way. */
const WATCHED_FOR_MS = 95_000;

/** @returns one line for each thing that is not as it should be. */
export async function whatJanitorFinds({ stack }: World): Promise<string[]> {
  const first = await runJanitorOf(stack.env);
  if (Object.keys(first.watching).length === 0) return linesOf(first);
  await sleep(WATCHED_FOR_MS);
  const second = await runJanitorOf(stack.env);
  const watching = Object.entries(second.watching).map(([kind, count]) => `still watched: ${count} ${kind}`);
  return [...linesOf(first), ...linesOf(second), ...watching];
}

function linesOf({ found, unseen }: JanitorReport): string[] {
  return [
    ...found.map(({ kind, subject, repair, outcome }) => `${kind} ${subject}: ${repair}, ${outcome}`),
    ...unseen.map((part) => `could not be seen: ${part}`),
  ];
}
