import { expect, test } from '@jest/globals';
import { ToolRunner, type ToolCallEvent } from '../../src/activities/tool-runner.ts';
import type { ToolAnswer } from '../../src/activities/deps.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import { createLogger } from '../../src/telemetry.ts';

const logger = createLogger({ process: 'test', level: 'silent' });
const call = (key: string): ToolCallEvent => ({ kind: 'tool_call', key, turn: 1, index: 0, name: 'book_appointment', arguments: '{}' });
const ids = { callId: 'c', tenantId: 't' };

function runner(runTool: () => Promise<ToolAnswer>, toolTimeoutMs = 1_000) {
  return new ToolRunner({ runTool, limits: { toolTimeoutMs, bufferedEvents: 10 }, logger }, ids);
}

test('ToolRunner runs a repeated call once and gives the same answer', async () => {
  let runs = 0;
  const tools = runner(async () => ({ ok: true, content: `{"run":${++runs}}` }));
  const [first, again] = await Promise.all([tools.run(call('1:0')), tools.run(call('1:0'))]);
  expect(first).toEqual({ key: '1:0', ok: true, content: '{"run":1}' });
  expect(again).toEqual(first);
  expect(await tools.run(call('1:1'))).toMatchObject({ content: '{"run":2}' });
});

test('ToolRunner answers for a tool that takes too long, and stays with that answer', async () => {
  const late = Promise.withResolvers<ToolAnswer>();
  const tools = runner(() => late.promise, 20);
  const answer = await tools.run(call('1:0'));
  expect(answer).toEqual({ key: '1:0', ok: false, content: '{"error":"timeout"}' });
  late.resolve({ ok: true, content: '{}' });
  expect(await tools.run(call('1:0'))).toEqual(answer);
});

test('ToolRunner turns a failure into an answer that the model can read', async () => {
  const tools = runner(() => Promise.reject(new HoldfastError('dependency_unavailable', 'password=secret', { retryable: true })));
  expect(await tools.run(call('1:0'))).toEqual({ key: '1:0', ok: false, content: '{"error":"unavailable"}' });
});

test('ToolRunner never sends an answer longer than the protocol allows', async () => {
  const tools = runner(async () => ({ ok: true, content: JSON.stringify('x'.repeat(9_000)) }));
  expect(await tools.run(call('1:0'))).toEqual({ key: '1:0', ok: false, content: '{"error":"result_too_long"}' });
});
