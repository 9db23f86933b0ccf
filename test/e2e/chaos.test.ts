/**
 * The chaos suite in short (docs/chaos.md has the long one): real calls, and in the middle of them
 * Asterisk, a media node, and every process at once are killed.
 */
import { whatJanitorFinds } from '../chaos/aftermath.ts';
import type { Fault } from '../chaos/fault.ts';
import { asteriskKill } from '../chaos/faults/asterisk-kill.ts';
import { mediaKill } from '../chaos/faults/media-kill.ts';
import { everyProcessKill } from '../chaos/faults/several.ts';
import { runFault } from '../chaos/run-fault.ts';
import { startWorld, type World } from '../chaos/world.ts';
import { sharedParts } from '../support/stack.ts';

const TIMEOUT_MS = 300_000;
/** One in each phase: greeting, agent speaking, caller speaking, tool running, goodbye. */
const CALLS = 5;

/** Something went wrong before anything was struck: the suite's own ear took one line for another. */
const SPOILED = /\(-\d+ ms after the fault\)/;

/** A wave with a caller who was misled before the fault says nothing about the fault: it is run again, once. */
async function strike(fault: Fault): Promise<Awaited<ReturnType<typeof runFault>>> {
  const report = await runFault(world, fault, { calls: CALLS, width: CALLS });
  return report.notes.some((note) => SPOILED.test(note)) ? runFault(world, fault, { calls: CALLS, width: CALLS }) : report;
}

let world: World;
const printed: string[] = [];

beforeAll(async () => {
  world = await startWorld({ parts: sharedParts().parts, mediaNodes: 2, workers: 1, print: (line) => printed.push(line) });
}, TIMEOUT_MS);
afterAll(() => world?.[Symbol.asyncDispose](), TIMEOUT_MS);

// First: that it serves again is shown by the calls of the others.
describe('Asterisk', () => {
  it(
    'takes its calls along when it is killed, and each gets its one end',
    async () => {
      const { notes, ...report } = await runFault(world, asteriskKill, { calls: 3, width: 3 });
      expect(notes).toEqual([]);
      expect(report).toMatchObject({ calls: 3, dropped: 3, doubled: 0, dispositionsNotOne: 0 });
    },
    TIMEOUT_MS,
  );
});

describe('calls that are live when processes are killed', () => {
  it.each<[string, Fault]>([
    ['one of two media nodes', mediaKill],
    ['API, worker and the busier media node at once', everyProcessKill],
  ])(
    'go on with everything they knew: %s',
    async (_, fault) => {
      const { notes, hit, ...report } = await strike(fault);
      expect(notes).toEqual([]);
      expect(report).toMatchObject({ calls: CALLS, dropped: 0, memoryKept: CALLS, turnsLost: 0, doubled: 0, dispositionsNotOne: 0 });
      expect(hit).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});

test(
  'the janitor finds nothing afterwards',
  async () => {
    expect(await whatJanitorFinds(world)).toEqual([]);
  },
  TIMEOUT_MS,
);
