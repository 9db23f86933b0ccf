import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { MediaNode } from '../../src/contracts/media-node.ts';
import type { InboundWebhookResponse } from '../../src/contracts/telephony-webhook.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import { LiveState } from '../../src/media/live-state.ts';
import { TwilioCalls } from '../../src/services/twilio-calls.ts';
import { createLogger } from '../../src/telemetry.ts';
import { sharedParts } from '../support/stack.ts';

let redis: Redis;
let live: LiveState;
beforeAll(async () => {
  redis = await connectRedis(sharedParts().redisUrl);
  live = new LiveState(redis, createLogger({ process: 'media', level: 'silent' }));
});
afterAll(() => redis.disconnect());

const node = (id: string, streamUrl?: string): MediaNode => ({
  id,
  app: `holdfast-${id}`,
  controlUrl: 'ws://127.0.0.1:4000',
  pid: 1,
  instance: id,
  live: 0,
  capacity: 10,
  draining: false,
  ...(streamUrl === undefined ? {} : { streamUrl }),
});
const nodes = [node('media-1', 'wss://media-1.example.com'), node('media-2', 'wss://media-2.example.com'), node('media-3')];
const admitted = (media_app: string | null): InboundWebhookResponse => ({
  status: 'accepted',
  call_record_id: randomUUID(),
  tenant_id: randomUUID(),
  message: '',
  media_app,
  standby_app: null,
});

function calls(answer: InboundWebhookResponse = admitted('holdfast-media-1'), from: Redis = redis): TwilioCalls {
  return new TwilioCalls({ redis: from, desk: { admit: async () => answer }, nodes: { announced: async () => nodes }, patienceMs: 400 });
}

const request = {
  callRecordId: randomUUID(),
  channelId: 'twilio:CA1',
  calledNumber: '+12025550143',
  sealedCallerNumber: null,
  arrivedAt: '',
};

/** A call that this node holds. */
function held(epoch: number, nodeId: string, callId: string = randomUUID()): { callId: string; epoch: number } {
  live.started({ callId, epoch }, { tenantId: randomUUID(), nodeId, instance: nodeId, at: new Date().toISOString(), transcript: [] });
  return { callId, epoch };
}
const at = new Date().toISOString();

describe('TwilioCalls', () => {
  test('an arriving call goes to the node that admission has chosen, or is told why not', async () => {
    expect(await calls().arrive(request)).toEqual({ kind: 'stream', url: 'wss://media-1.example.com', epoch: 1 });
    expect(await calls(admitted('holdfast-media-3')).arrive(request)).toEqual({ kind: 'unserved' });
    expect(await calls(admitted(null)).arrive(request)).toEqual({ kind: 'over' });
    const refusal = { ...admitted(null), status: 'over_limit' as const, message: 'Busy.' };
    expect(await calls(refusal).arrive(request)).toEqual({ kind: 'refused', status: 'over_limit', message: 'Busy.' });
  });

  test('waits for the node that takes the call over', async () => {
    const { callId } = held(1, 'media-1');
    const going = calls().goOn({ callId, after: 1, tries: 0 });
    await sleep(120);
    held(2, 'media-2', callId);
    expect(await going).toEqual({ kind: 'stream', url: 'wss://media-2.example.com', epoch: 2 });
  });

  test('goes back to the node that still has it', async () => {
    const { callId } = held(1, 'media-1');
    expect(await calls().goOn({ callId, after: 1, tries: 0 })).toEqual({ kind: 'stream', url: 'wss://media-1.example.com', epoch: 1 });
  });

  test('knows a call that is over, and one whose end owes an apology', async () => {
    const over = held(1, 'media-1');
    live.ended(over, { at, apology: false });
    expect(await calls().goOn({ callId: over.callId, after: 1, tries: 0 })).toEqual({ kind: 'over' });
    const failed = held(1, 'media-1');
    live.ended(failed, { at, apology: true });
    expect(await calls().goOn({ callId: failed.callId, after: 1, tries: 0 })).toEqual({ kind: 'unserved' });
  });

  test('a call that nobody has taken is tried again, and not for ever', async () => {
    const callId = randomUUID();
    expect(await calls().goOn({ callId, after: 1, tries: 0 })).toBeNull();
    expect(await calls().goOn({ callId, after: 1, tries: 2 })).toEqual({ kind: 'unserved' });
    const broken = held(1, 'media-1');
    expect(await calls().goOn({ callId: broken.callId, after: 1, tries: 10 })).toEqual({ kind: 'unserved' });
  });

  test('without Redis it is admission that is asked again', async () => {
    const away = await connectRedis(sharedParts().redisUrl);
    away.disconnect();
    expect(await calls(undefined, away).goOn({ callId: randomUUID(), after: 1, tries: 0 })).toBeNull();
  });
});
