import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TurnBatches } from '../../src/activities/turn-batches.ts';
import { turnRecord } from '../support/turn-record.ts';

const fresh = () => new TurnBatches({ signals: 0, signalledThrough: -1 });

/** Adds turns one by one and delivers what is due; answers the batches. */
function play(batches: TurnBatches, turns: { sequence: number; atMs: number }[], beatMs = 500): number[][] {
  const sent: number[][] = [];
  let nowMs = 0;
  const beat = (): void => {
    if (!batches.due(nowMs)) return;
    const batch = batches.waiting;
    sent.push(batch.map((turn) => turn.sequence));
    batches.delivered(batch);
  };
  for (const { sequence, atMs } of turns) {
    for (; nowMs < atMs; nowMs += beatMs) beat();
    batches.add(turnRecord(sequence), nowMs);
  }
  beat();
  return sent;
}

test('TurnBatches sends the beginning of a talk early and then ten turns at a time', () => {
  const turns = Array.from({ length: 22 }, (_, sequence) => ({ sequence, atMs: sequence * 3_000 }));
  expect(play(fresh(), turns).map((batch) => batch.length)).toEqual([3, 10]);
});

test('TurnBatches sends what waits when the talk pauses', () => {
  const batches = fresh();
  batches.add(turnRecord(0), 0);
  expect(batches.due(14_000)).toBe(false);
  expect(batches.due(15_000)).toBe(true);
});

test('TurnBatches spends at most one signal per ten turns and one on top, however long the pauses', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 100, max: 60_000 }), { minLength: 1, maxLength: 60 }), (gaps) => {
      let atMs = 0;
      const turns = gaps.map((gap, sequence) => ({ sequence, atMs: (atMs += gap) }));
      const batches = fresh();
      const sent = play(batches, turns);
      expect(sent.length).toBeLessThanOrEqual(1 + Math.floor(turns.length / 10));
      expect([...sent.flat(), ...batches.waiting.map((turn) => turn.sequence)]).toEqual(turns.map((turn) => turn.sequence));
    }),
  );
});

test('TurnBatches keeps a batch that Temporal did not take', () => {
  const batches = fresh();
  for (const sequence of [0, 1, 2]) batches.add(turnRecord(sequence), 0);
  expect(batches.due(0)).toBe(true);
  expect(batches.due(0)).toBe(true);
  expect(batches.waiting).toHaveLength(3);
  expect(batches.sent).toEqual({ signals: 0, signalledThrough: -1 });
});

test('TurnBatches sends a turn again that changed while its batch was on the way', () => {
  const batches = fresh();
  for (const sequence of [0, 1, 2]) batches.add(turnRecord(sequence), 0);
  const batch = batches.waiting;
  batches.add(turnRecord(2, { text: 'and one more thing' }), 100);
  batches.delivered(batch);
  expect(batches.waiting).toEqual([turnRecord(2, { text: 'and one more thing' })]);
  expect(batches.sent).toEqual({ signals: 1, signalledThrough: 2 });
});

test('TurnBatches goes on where an earlier attempt stopped', () => {
  const batches = new TurnBatches({ signals: 1, signalledThrough: 4 });
  for (let sequence = 5; sequence < 14; sequence++) batches.add(turnRecord(sequence), 0);
  expect(batches.due(0)).toBe(false);
  batches.add(turnRecord(14), 0);
  expect(batches.due(0)).toBe(true);
});
