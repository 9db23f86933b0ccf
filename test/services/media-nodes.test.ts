import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { startRedis } from '../../setup/stack/redis.ts';
import { NODE_BEAT_MS, NODE_INDEX_KEY, NODE_KEY_PREFIX } from '../../src/contracts/media-node.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import { putNode } from '../../src/media/registry.ts';
import { NodeChooser, RedisMediaNodes } from '../../src/services/media-nodes.ts';
import { sharedParts } from '../support/stack.ts';
import { startTcpGate, type TcpGate } from '../support/tcp-gate.ts';
import { mediaNodeOf } from '../support/media-node.ts';

describe('RedisMediaNodes', () => {
  let gate: TcpGate;
  let redis: Redis;
  const parts = new AsyncDisposableStack();

  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'holdfast-nodes-'));
    parts.defer(() => rm(dir, { recursive: true, force: true }));
    const server = parts.use(await startRedis({ parts: sharedParts().parts, dir, logFile: join(dir, 'redis.log'), port: 0 }));
    const url = new URL(server.url);
    gate = parts.use(await startTcpGate({ host: url.hostname, port: Number(url.port) }));
    url.hostname = '127.0.0.1';
    url.port = String(gate.port);
    redis = await connectRedis(url.href);
    parts.defer(() => redis.disconnect());
  });
  afterAll(async () => {
    await parts.disposeAsync();
  });
  beforeEach(async () => {
    await redis.flushall();
  });

  test('lists the nodes that announce themselves, and nothing else', async () => {
    const nodes = [mediaNodeOf('media-1'), mediaNodeOf('media-2', { live: 3 })];
    for (const each of nodes) await putNode(redis, each, 60_000);
    await redis.set(`${NODE_KEY_PREFIX}broken`, '{"id":', 'PX', 60_000);
    await redis.set(`${NODE_KEY_PREFIX}older`, '{"id":"older"}', 'PX', 60_000);
    await redis.sadd(NODE_INDEX_KEY, 'broken', 'older', 'expired');
    await redis.set('call:1:state', 'x', 'PX', 60_000);
    const live = await new RedisMediaNodes(redis).live();
    expect(live.toSorted((a, b) => a.id.localeCompare(b.id))).toEqual(nodes);
  });

  test('nobody is there: nobody is listed', async () => {
    expect(await new RedisMediaNodes(redis).live()).toEqual([]);
  });

  test('a node that was found dead is not live here any more, though Redis still says so; its successor is', async () => {
    const registry = new RedisMediaNodes(redis);
    await putNode(redis, mediaNodeOf('media-1'), 60_000);
    registry.avoid('media-1-instance');
    expect(await registry.live()).toEqual([]);
    const successor = mediaNodeOf('media-1', { instance: 'another' });
    await putNode(redis, successor, 60_000);
    expect(await registry.live()).toEqual([successor]);
  });

  test('goes on with the last answer while Redis is away, and says so', async () => {
    const reported: unknown[] = [];
    const registry = new RedisMediaNodes(redis, (error) => reported.push(error));
    await putNode(redis, mediaNodeOf('media-1'), 60_000);
    await registry.live();
    await gate.shut();
    expect(await registry.live()).toEqual([mediaNodeOf('media-1')]);
    expect(reported).toHaveLength(1);
    await gate.open();
  });
});

describe('NodeChooser', () => {
  test('takes the node with the smallest share in use, not the fewest calls', () => {
    const nodes = [mediaNodeOf('small', { live: 2, capacity: 4 }), mediaNodeOf('large', { live: 10, capacity: 100 })];
    expect(new NodeChooser().choose(nodes, 0)?.id).toBe('large');
  });

  test('never takes one that is full or draining', () => {
    const nodes = [mediaNodeOf('full', { live: 10 }), mediaNodeOf('draining', { draining: true })];
    expect(new NodeChooser().choose(nodes, 0)).toBeNull();
    expect(new NodeChooser().choose([], 0)).toBeNull();
  });

  test('gives a caller in the middle of a call a full node rather than none, but never one that is leaving', () => {
    const full = [mediaNodeOf('fuller', { live: 12 }), mediaNodeOf('full', { live: 10 })];
    expect(new NodeChooser().refuge(full, 0)?.id).toBe('full');
    expect(new NodeChooser().refuge([...full, mediaNodeOf('free')], 0)?.id).toBe('free');
    expect(new NodeChooser().refuge([mediaNodeOf('draining', { draining: true })], 0)).toBeNull();
  });

  test('spreads calls that come between two announcements, and stops at the capacity', () => {
    const chooser = new NodeChooser();
    const nodes = [mediaNodeOf('a', { capacity: 2 }), mediaNodeOf('b', { capacity: 2 })];
    expect([1, 2, 3, 4, 5].map(() => chooser.choose(nodes, 100)?.id ?? null)).toEqual(['a', 'b', 'a', 'b', null]);
    // The next announcement counts them itself.
    expect(chooser.choose([mediaNodeOf('a', { live: 1, capacity: 2 })], 101 + NODE_BEAT_MS)?.id).toBe('a');
  });
});
