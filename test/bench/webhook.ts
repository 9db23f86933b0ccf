/** How fast the webhook answers when nothing else happens. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack } from '../../setup/stack/stack.ts';
import { INBOUND_WEBHOOK_PATH, type InboundWebhookResponse } from '../../src/contracts/telephony-webhook.ts';

export interface WebhookRun {
  readonly calledNumber: string;
  readonly count: number;
  readonly perSecond: number;
}

/** Milliseconds of each answer, in the order of the posts. @throws Error when one is not answered with 200. */
export async function postCalls(
  stack: Stack,
  { calledNumber, count, perSecond }: WebhookRun,
): Promise<{ readonly tookMs: number[]; readonly status: string }> {
  const run = Date.now();
  const answers: Promise<{ tookMs: number; status: string }>[] = [];
  for (let n = 0; n < count; n++) {
    const answer = post(stack, { calledNumber, callId: `bench-${run}-${n}` });
    answer.catch(() => undefined);
    answers.push(answer);
    await sleep(1_000 / perSecond);
  }
  const all = await Promise.all(answers);
  return { tookMs: all.map((each) => each.tookMs), status: [...new Set(all.map((each) => each.status))].join(', ') };
}

async function post(
  stack: Stack,
  { calledNumber, callId }: { calledNumber: string; callId: string },
): Promise<{ tookMs: number; status: string }> {
  const body = {
    caller_number: '+12125550100',
    called_number: calledNumber,
    call_id: callId,
    timestamp: Math.floor(Date.now() / 1_000),
    channel_id: callId,
  };
  const startedAtMs = performance.now();
  const response = await fetch(`${stack.urls.api}${INBOUND_WEBHOOK_PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${stack.env['TELEPHONY_WEBHOOK_SECRET']}` },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as InboundWebhookResponse;
  if (!response.ok) throw new Error(`The webhook answered ${response.status}`);
  return { tookMs: performance.now() - startedAtMs, status: answer.status };
}
