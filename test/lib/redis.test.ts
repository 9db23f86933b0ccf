import { connectRedis } from '../../src/lib/redis.ts';
import { sharedParts } from '../support/stack.ts';
import { startTcpGate } from '../support/tcp-gate.ts';
import { until } from '../support/pbx.ts';

async function throughGate() {
  const url = new URL(sharedParts().redisUrl);
  const gate = await startTcpGate({ host: url.hostname, port: Number(url.port) });
  url.host = `127.0.0.1:${gate.port}`;
  return { gate, url: url.href };
}

test('connectRedis: while Redis is away a command fails at once, and works again when it is back', async () => {
  const { gate, url } = await throughGate();
  await using _gate = gate;
  const redis = await connectRedis(url);
  await gate.shut();
  await until('the connection is gone', () => redis.status !== 'ready');
  await expect(redis.ping()).rejects.toThrow();
  await gate.open();
  await until('Redis answers again', () => redis.status === 'ready');
  expect(await redis.ping()).toBe('PONG');
  redis.disconnect();
});

test('connectRedis: a Redis whose host fell silent is left for a new connection', async () => {
  const { gate, url } = await throughGate();
  await using _gate = gate;
  const redis = await connectRedis(url);
  gate.blackHole();
  await expect(redis.ping()).rejects.toThrow();
  await gate.open();
  await until(
    'Redis answers again',
    () =>
      redis.ping().then(
        () => true,
        () => false,
      ),
    15_000,
  );
  redis.disconnect();
});
