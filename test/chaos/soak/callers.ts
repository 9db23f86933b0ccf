/** Callers without end, and one call without end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { callAndTalk } from '../../../setup/demo/caller.ts';
import type { Step } from '../../../setup/demo/script-steps.ts';
import { nextCallerNumber } from '../../support/call-stack.ts';
import { Ear } from '../ai/heard-words.ts';
import { lines, PERSONAS, persona, scriptOf } from '../persona.ts';
import type { Business, World } from '../world.ts';

export interface Talked {
  readonly calls: number;
  readonly failures: readonly string[];
}

/** A turn of the long call: question, answer, and a moment to think. */
const TURN_MS = 17_000;
const THINK_MS = 2_000;

async function talk(
  world: World,
  business: Business,
  script: readonly Step[],
): Promise<{ failure: string | null; from: string; sinceMs: number }> {
  const ear = new Ear({ heard: (pcm) => world.ai.heard(pcm) });
  const [from, sinceMs] = [nextCallerNumber(), Date.now()];
  const { failure } = await callAndTalk({
    carrier: world.carrier,
    to: business.did,
    from,
    script,
    words: (onWords) => ear.words(onWords),
    onHeard: (pcm) => ear.push(pcm),
  });
  return { failure, from, sinceMs };
}

/** Each of `calls` callers calls again as soon as the call has ended, until the time is over. */
export async function callWithoutEnd(
  world: World,
  { calls, untilMs }: { readonly calls: number; readonly untilMs: number },
): Promise<Talked> {
  let placed = 0;
  const failures: string[] = [];
  // A diary has room for one week of different wishes.
  const businesses = new Map<number, Promise<Business>>();
  const businessOf = (n: number): Promise<Business> => {
    const which = Math.floor(n / PERSONAS);
    const found = businesses.get(which) ?? world.newBusiness();
    businesses.set(which, found);
    return found;
  };
  const caller = async (index: number): Promise<void> => {
    await sleep(index * 1_500);
    while (Date.now() < untilMs) {
      const n = placed++;
      const { failure } = await talk(world, await businessOf(n), scriptOf(persona(n), 'greeting')).catch((error: unknown) => ({
        failure: error instanceof Error ? error.message : String(error),
      }));
      if (failure !== null) failures.push(`call ${n + 1}: ${failure}`);
    }
  };
  await Promise.all(Array.from({ length: calls }, (_, index) => caller(index)));
  return { calls: placed, failures };
}

export async function callForLong(
  world: World,
  minutes: number,
): Promise<{ from: string; sinceMs: number; business: Business; failure: string | null }> {
  const business = await world.newBusiness();
  const turns = Math.max(1, Math.floor((minutes * 60_000) / TURN_MS));
  const script: Step[] = [
    { do: 'hear', what: 'a greeting', expect: /help you/i },
    ...Array.from({ length: turns }, (): Step[] => [
      { do: 'say', text: lines.question },
      { do: 'hear', what: 'the opening hours', expect: /suit you best/i, timeoutMs: 60_000 },
      { do: 'silence', forMs: THINK_MS },
    ]).flat(),
    { do: 'say', text: lines.goodbye },
    { do: 'hear', what: 'a goodbye', expect: /goodbye/i },
    { do: 'await_hangup' },
  ];
  return { business, ...(await talk(world, business, script)) };
}
