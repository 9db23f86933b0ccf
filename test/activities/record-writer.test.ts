import { expect, test } from '@jest/globals';
import { nextBatch, RecordWriter, type RecordEntry } from '../../src/activities/record-writer.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import { createLogger } from '../../src/telemetry.ts';
import { turnRecord } from '../support/turn-record.ts';

const logger = createLogger({ process: 'test', level: 'silent' });
const turn = (sequence: number): RecordEntry => ({ kind: 'turn', epoch: 1, seq: sequence + 10, turn: turnRecord(sequence) });
const answered: RecordEntry = { kind: 'answered', epoch: 1, seq: 1, at: '2026-11-21T10:00:00.000Z' };

/** A store that can be away. */
function store() {
  const written: string[] = [];
  const state = { away: false };
  const guard = (): void => {
    if (state.away) throw new HoldfastError('dependency_unavailable', 'away', { retryable: true });
  };
  return {
    written,
    state,
    calls: {
      recordAnswered: async () => {
        guard();
        written.push('answered');
      },
      recordNode: async () => {
        guard();
        written.push('node');
      },
      recordTurns: async ({ turns }: { turns: readonly { sequence: number }[] }) => {
        guard();
        written.push(turns.map((each) => each.sequence).join());
      },
    },
  };
}

function writerOn(calls: ReturnType<typeof store>['calls'], limit = 100) {
  const durable: number[] = [];
  const writer = new RecordWriter({ calls, callId: 'c', tenantId: 't', limit, logger, onDurable: ({ seq }) => durable.push(seq) });
  return { writer, durable };
}

test('nextBatch keeps the order: one answer, or the turns up to the next answer', () => {
  expect(nextBatch([])).toEqual([]);
  expect(nextBatch([answered, turn(0)])).toEqual([answered]);
  expect(nextBatch([turn(0), turn(1), answered, turn(2)])).toEqual([turn(0), turn(1)]);
  expect(nextBatch(Array.from({ length: 80 }, (_, sequence) => turn(sequence)))).toHaveLength(50);
});

test('RecordWriter reports an entry as durable only when the store took it, in order', async () => {
  const { calls, written } = store();
  const { writer, durable } = writerOn(calls);
  for (const entry of [answered, turn(0), turn(1)]) writer.add(entry);
  expect(durable).toEqual([]);
  expect(await writer.settle(1_000)).toEqual([]);
  expect(written).toEqual(['answered', '0,1']);
  expect(durable).toEqual([1, 10, 11]);
});

test('RecordWriter writes what waited when the store comes back', async () => {
  const { calls, written, state } = store();
  const { writer } = writerOn(calls);
  state.away = true;
  writer.add(turn(0));
  setTimeout(() => (state.away = false), 50);
  writer.add(turn(1));
  expect(await writer.settle(5_000)).toEqual([]);
  expect(written.join()).toBe('0,1');
});

test('RecordWriter hands back the turns that the store did not take in time', async () => {
  const { calls, state } = store();
  const { writer, durable } = writerOn(calls);
  state.away = true;
  for (const entry of [answered, turn(0), turn(1)]) writer.add(entry);
  expect((await writer.settle(20)).map((each) => each.sequence)).toEqual([0, 1]);
  expect(durable).toEqual([]);
});

test('RecordWriter refuses more than it may hold', () => {
  const { calls, state } = store();
  const { writer } = writerOn(calls, 2);
  state.away = true;
  writer.add(turn(0));
  writer.add(turn(1));
  expect(() => writer.add(turn(2))).toThrow(expect.objectContaining({ code: 'limit_exceeded' }));
  writer.stop();
});
