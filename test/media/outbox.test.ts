import type { CallEvent, NodeMessage } from '../../src/contracts/media-control.ts';
import { Outbox } from '../../src/media/outbox.ts';

const state = (): CallEvent => ({ kind: 'state', state: 'listening' });
const answered = (): CallEvent => ({ kind: 'answered', at: '2026-01-01T00:00:00.000Z' });
const seqs = (messages: NodeMessage[]) => messages.flatMap((message) => (message.type === 'event' ? [message.seq] : []));

describe('Outbox', () => {
  test('a worker that comes back gets what it missed, in order, and not what it had', () => {
    const outbox = new Outbox(10);
    const first: NodeMessage[] = [];
    const toFirst = (message: NodeMessage) => void first.push(message);
    outbox.attach(0, toFirst);
    outbox.emit(answered());
    outbox.emit(state());
    outbox.detach(toFirst);
    outbox.emit(state());
    const second: NodeMessage[] = [];
    outbox.attach(1, (message) => void second.push(message));
    outbox.emit(state());
    expect(seqs(first)).toEqual([1, 2]);
    expect(seqs(second)).toEqual([2, 3, 4]);
  });

  test('when the buffer is full, states go before turns and the end', () => {
    const outbox = new Outbox(2);
    outbox.emit(answered());
    outbox.emit(state());
    outbox.emit(answered());
    const got: NodeMessage[] = [];
    outbox.attach(0, (message) => void got.push(message));
    expect(seqs(got)).toEqual([1, 3]);
  });

  test('is emptied when the last event is acknowledged', async () => {
    const outbox = new Outbox(10);
    outbox.emit(answered());
    const emptied = outbox.emptied();
    outbox.acknowledge(1);
    await expect(emptied).resolves.toBeUndefined();
  });
});
