import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EventWindow } from '../../src/activities/event-window.ts';

test('EventWindow acknowledges nothing before the oldest open event is handled', () => {
  const window = new EventWindow(3);
  for (const seq of [4, 5, 7]) expect(window.receive(seq)).toBe(true);
  expect(window.handled(5)).toBeNull();
  expect(window.acknowledged).toBe(3);
  expect(window.handled(4)).toBe(5);
  expect(window.handled(7)).toBe(7);
});

test('EventWindow takes an event once, also when the node repeats it after a re-attach', () => {
  const window = new EventWindow(0);
  expect(window.receive(1)).toBe(true);
  expect(window.receive(1)).toBe(false);
  window.handled(1);
  expect(window.receive(1)).toBe(false);
  expect(window.handled(1)).toBeNull();
});

test('EventWindow ends at the newest event whatever the order of handling, and never skips an open one', () => {
  const sequences = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      sequences.chain((numbers) =>
        fc.tuple(fc.constant([...numbers].sort((a, b) => a - b)), fc.shuffledSubarray(numbers, { minLength: numbers.length })),
      ),
      ([received, handledOrder]) => {
        const window = new EventWindow(0);
        for (const seq of received) window.receive(seq);
        const open = new Set(received);
        for (const seq of handledOrder) {
          open.delete(seq);
          window.handled(seq);
          expect(Math.min(...open, Infinity)).toBeGreaterThan(window.acknowledged);
        }
        expect(window.acknowledged).toBe(received.at(-1));
      },
    ),
  );
});
