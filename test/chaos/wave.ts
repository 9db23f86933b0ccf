/** Several calls live at once, each brought to its phase, and the fault in the middle of all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { callAndTalk, type CallerResult } from '../../setup/demo/caller.ts';
import { voice } from '../../setup/demo/voice.ts';
import { nextCallerNumber } from '../support/call-stack.ts';
import { Ear } from './ai/heard-words.ts';
import { slowBookings } from './database.ts';
import type { Fault, Scene } from './fault.ts';
import { liveCalls } from './live-calls.ts';
import { lineAt, persona, scriptOf, type Persona, type Phase } from './persona.ts';
import type { Business, World } from './world.ts';

export interface CallRun {
  readonly who: Persona;
  readonly phase: Phase | 'arriving';
  readonly from: string;
  readonly placedAtMs: number;
  /** Null when the call could not be placed or did not come to an end. */
  readonly result: CallerResult | null;
  readonly failure: string | null;
}

export interface WaveRun {
  readonly business: Business;
  readonly runs: readonly CallRun[];
  readonly struckAtMs: number;
  /** When everything was whole again. */
  readonly overAtMs: number;
  /** Call ids that the fault was to hit: those of the node that it struck; null when it strikes all. */
  readonly hit: ReadonlySet<string> | null;
}

export interface WaveOptions {
  readonly phases: readonly Phase[];
  /** All calls but the greetings on the first node. */
  readonly concentrated: boolean;
}

const SPACING_MS = 150;
const GATHER_MS = 90_000;
const CALL_MS = 240_000;
/** What is between the end of the caller's line and the moment meant: an answer begins after about 0.7 s. */
const AFTER_LINE_MS: Readonly<Record<Phase, number>> = {
  greeting: 1_500,
  'agent speaking': 2_000,
  'caller speaking': -1_500,
  'tool running': 1_300,
  goodbye: 1_600,
};
const LEAD_SLACK_MS = 500;
/** How long the diary is slow around the fault, so that tools are running. */
const SLOW = { beforeMs: 2_500, afterMs: 700 };
const DEAD_LINE_MS = 10_000;
/** A node that is gone is forgotten by then. */
const FORGOTTEN_MS = 3_500;

export async function runWave(world: World, fault: Fault, options: WaveOptions): Promise<WaveRun> {
  const business = await world.newBusiness();
  if (options.concentrated) await gatherOnFirstNode(world);
  const patience = new AbortController();
  const gate = new Gate(options.phases.filter((phase) => phase !== 'greeting').length);
  const place = (index: number, phase: CallRun['phase']): Promise<CallRun> =>
    placeCall({ world, business, gate, patience: patience.signal }, index, phase);
  const calls: Promise<CallRun>[] = [];
  for (const [index, phase] of options.phases.entries()) {
    if (phase === 'greeting') continue;
    calls.push(place(index, phase).finally(() => gate.arrived(index)));
    await sleep(SPACING_MS);
  }
  await Promise.race([gate.full, sleep(GATHER_MS, undefined, { ref: false })]);
  if (options.concentrated) await world.stack.part('media2').up();
  const leads = await Promise.all(options.phases.map((phase, index) => leadMs(world, index, phase)));
  const strikeAtMs = Date.now() + Math.max(...leads, SLOW.beforeMs) + LEAD_SLACK_MS;
  for (const [index, phase] of options.phases.entries()) {
    const go = sleep(Math.max(0, strikeAtMs - (leads[index] ?? 0) - Date.now()));
    if (phase === 'greeting') calls.push(go.then(() => place(index, phase)));
    else void go.then(() => gate.open(index));
  }
  const slow = slowBookings(world, { atMs: strikeAtMs - SLOW.beforeMs, untilMs: strikeAtMs + SLOW.afterMs });
  const { scene, struckAtMs, over } = await strike({ world, business }, fault, strikeAtMs);
  for (let n = 0; n < (fault.arrivals ?? 0); n++)
    calls.push(sleep(5_000 + n * 5_000).then(() => place(options.phases.length + n, 'arriving')));
  // A PBX that is killed sends no goodbye: the line is simply dead, and people hang up.
  if (fault.endsCalls === true) void sleep(DEAD_LINE_MS).then(() => patience.abort());
  const [overAtMs, runs] = await Promise.all([over.then(() => Date.now()), Promise.all(calls)]);
  await slow;
  return { business, runs, struckAtMs, overAtMs, hit: scene.victim === null ? null : new Set(scene.victim.calls) };
}

interface Struck {
  readonly scene: Scene;
  readonly struckAtMs: number;
  /** Everything is whole again. */
  readonly over: Promise<void>;
}

async function strike({ world, business }: Pick<Place, 'world' | 'business'>, fault: Fault, atMs: number): Promise<Struck> {
  await sleep(Math.max(0, atMs - 60 - Date.now()));
  const nodes = await liveCalls(world, business.tenantId);
  const named = nodes.find(({ part }) => part === fault.strikesNode);
  const victim = fault.strikesOneNode === true ? (named ?? nodes[0] ?? null) : null;
  await sleep(Math.max(0, atMs - Date.now()));
  const scene: Scene = { world, victim, nodes };
  const struckAtMs = Date.now();
  const over = fault.strike(scene);
  over.catch((error: unknown) => world.print(`    ! ${error instanceof Error ? error.message : String(error)}`));
  return { scene, struckAtMs, over };
}

async function gatherOnFirstNode({ stack }: World): Promise<void> {
  await stack.part('media2').down();
  await sleep(FORGOTTEN_MS);
}

async function leadMs({ parts }: World, index: number, phase: Phase): Promise<number> {
  const line = lineAt(persona(index), phase);
  if (line === null) return AFTER_LINE_MS[phase];
  const spokenMs = (await voice(parts.flite.command, line)).length / 16;
  return spokenMs + AFTER_LINE_MS[phase];
}

interface Place {
  readonly world: World;
  readonly business: Business;
  readonly gate: Gate;
  /** The callers hang up when it is over. */
  readonly patience: AbortSignal;
}

async function placeCall({ world, business, gate, patience }: Place, index: number, phase: CallRun['phase']): Promise<CallRun> {
  const who = persona(index);
  const [from, placedAtMs] = [nextCallerNumber(), Date.now()];
  const ear = new Ear({ heard: (pcm) => world.ai.heard(pcm) });
  const talk = callAndTalk({
    carrier: world.carrier,
    to: business.did,
    from,
    script: scriptOf(who, phase === 'arriving' ? 'greeting' : phase),
    words: (onWords) => ear.words(onWords),
    onHeard: (pcm) => ear.push(pcm),
    onWait: () => gate.pass(index),
    signal: patience,
  });
  const late = sleep(CALL_MS, null, { ref: false });
  try {
    const result = await Promise.race([talk, late]);
    return { who, phase, from, placedAtMs, result, failure: result === null ? 'the call did not end' : result.failure };
  } catch (error) {
    return { who, phase, from, placedAtMs, result: null, failure: error instanceof Error ? error.message : String(error) };
  }
}

/** Where the callers wait for each other. */
class Gate {
  readonly full: Promise<void>;
  readonly #full = Promise.withResolvers<void>();
  readonly #arrived = new Set<number>();
  readonly #doors = new Map<number, PromiseWithResolvers<void>>();
  readonly #expected: number;

  constructor(expected: number) {
    this.#expected = expected;
    this.full = this.#full.promise;
    if (expected === 0) this.#full.resolve();
  }

  /** Or will not come any more. */
  arrived(index: number): void {
    this.#arrived.add(index);
    if (this.#arrived.size >= this.#expected) this.#full.resolve();
  }

  async pass(index: number): Promise<void> {
    this.arrived(index);
    await this.#door(index).promise;
  }

  open(index: number): void {
    this.#door(index).resolve();
  }

  #door(index: number): PromiseWithResolvers<void> {
    const door = this.#doors.get(index) ?? Promise.withResolvers<void>();
    this.#doors.set(index, door);
    return door;
  }
}
