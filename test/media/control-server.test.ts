import { WebSocket } from 'ws';
import { CONTROL_MAX_PAYLOAD_BYTES, CONTROL_PATH } from '../../src/contracts/media-control.ts';
import { startControlServer } from '../../src/media/control-server.ts';
import type { PbxKeeper } from '../../src/media/call-control.ts';
import type { MediaNode } from '../../src/media/node.ts';
import { createLogger } from '../../src/telemetry.ts';

/** None of these sockets may get as far as the node. */
const outOfReach = new Proxy({} as MediaNode & PbxKeeper, {
  get: (_node, property) => {
    throw new Error(`the node was asked for ${String(property)}`);
  },
});

describe('startControlServer', () => {
  const secret = 'a-secret-of-this-test';

  /** What becomes of a socket that says `text` (nothing when null): HTTP status, or close code and the refusal. */
  async function knock(text: string | null, given = secret): Promise<unknown> {
    const logger = createLogger({ process: 'media', level: 'silent' });
    await using control = await startControlServer({
      host: '127.0.0.1',
      port: 0,
      secret,
      node: outOfReach,
      keeper: outOfReach,
      logger,
      // Only the socket that says nothing is meant to meet it; a large message takes its time on a busy machine.
      startWithinMs: text === null ? 50 : 10_000,
    });
    const socket = new WebSocket(`${control.url}${CONTROL_PATH}`, { headers: { authorization: `Bearer ${given}` } });
    let refusal: string | null = null;
    socket.on('error', () => undefined);
    socket.on('open', () => text !== null && socket.send(text));
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as { type: string; code?: string };
      if (message.type === 'refused') refusal = message.code ?? '';
    });
    return await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.on('close', (code) => resolve({ code, refusal }));
    });
  }

  test('lets nobody in without the secret', async () => {
    expect(await knock(null, 'another')).toBe(401);
  });
  test.each([
    ['no JSON', '{{{'],
    ['an unknown message', '{"type":"open"}'],
    ['an ack before start', '{"type":"ack","seq":1}'],
    ['nothing at all', null],
  ])('closes a socket that sends %s, and says why', async (_what, text) => {
    expect(await knock(text)).toEqual({ code: 1008, refusal: 'control_protocol' });
  });
  test('closes a socket that sends more than the limit', async () => {
    expect(await knock('x'.repeat(CONTROL_MAX_PAYLOAD_BYTES + 1))).toEqual({ code: 1009, refusal: null });
  });
});
