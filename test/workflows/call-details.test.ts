import { expect, test } from '@jest/globals';
import { callDetails, newCallView, withTurns } from '../../src/workflows/call-details.ts';
import { turnRecord } from '../support/turn-record.ts';

const view = newCallView({ callRecordId: '8d3f3a52-4c3d-5a4b-9f10-0d6a1f2b3c4d', arrivedAt: '2026-11-21T10:00:00.000Z' });

test('callDetails shows a live call as one readable page', () => {
  const turns = [
    turnRecord(0),
    turnRecord(1, { heardText: 'what are your hours' }),
    turnRecord(2, { latencies: { responseMs: 612.4 }, interrupted: true }),
  ];
  const live = withTurns({ ...view, state: 'listening', tenantId: 't-1', mediaNode: 'media-1' }, turns);
  expect(callDetails(live)).toBe(
    [
      '### Live: listening',
      '',
      '- **Call** `8d3f3a52-4c3d-5a4b-9f10-0d6a1f2b3c4d`',
      '- **Tenant** `t-1`',
      '- **Media node** media-1',
      '- **Arrived** 2026-11-21 10:00:00 UTC',
      '- **Utterances** 3',
      '',
      '| | time | who | what | waited |',
      '|--:|---|---|---|--:|',
      '| 1 | 10:00:00 | agent | utterance 0 |  |',
      '| 2 | 10:00:01 | caller | what are your hours |  |',
      '| 3 | 10:00:02 | agent | utterance 2 _(interrupted)_ | 612 ms |',
    ].join('\n'),
  );
});

test('callDetails says how a call ended', () => {
  const ended = {
    ...view,
    state: 'ended' as const,
    disposition: 'caller_hangup' as const,
    reason: 'hangup',
    endedAt: '2026-11-21T10:03:00.000Z',
  };
  expect(callDetails(ended)).toContain('### Ended: caller hangup (hangup)');
  expect(callDetails(ended)).toContain('- **Ended** 2026-11-21 10:03:00 UTC');
});

test('callDetails lets no word of a caller become markup', () => {
  const words = 'a | b\n\n# c [x](http://evil.example) <img src=x onerror=alert(1)> `d` **e**';
  const row =
    callDetails(withTurns(view, [turnRecord(0, { heardText: words })]))
      .split('\n')
      .at(-1) ?? '';
  expect(row.split(/(?<!\\)\|/)).toHaveLength(7);
  expect(row).not.toMatch(/(?<!\\)[[\]<>`#]/);
});

test('withTurns takes a batch that comes twice once, puts a late one in its place, and takes a changed turn', () => {
  let seen = withTurns(view, [turnRecord(0), turnRecord(3)]);
  seen = withTurns(seen, [turnRecord(1), turnRecord(2), turnRecord(3, { heardText: 'changed' })]);
  expect(seen.turns.map((turn) => turn.sequence)).toEqual([0, 1, 2, 3]);
  expect(seen.turns[3]?.heardText).toBe('changed');
  expect(seen.turnCount).toBe(4);
});

test('withTurns keeps the last forty and callDetails says how many are not shown', () => {
  const seen = withTurns(
    view,
    Array.from({ length: 68 }, (_, sequence) => turnRecord(sequence)),
  );
  expect(seen.turns).toHaveLength(40);
  expect(callDetails(seen)).toContain('_28 earlier utterances not shown._');
});
