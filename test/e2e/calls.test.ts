/** Calls over the whole of Holdfast: SIP in, a conversation or a refusal, one disposition, nothing left. */
import { access } from 'node:fs/promises';
import { runDemo, type DemoResult } from '../../setup/demo/run-demo.ts';
import type { CallDetailView, CallView } from '../../src/contracts/rest-calls.ts';
import type { Page } from '../../src/contracts/rest.ts';
import type { InboundWebhookResponse } from '../../src/contracts/telephony-webhook.ts';
import { INBOUND_WEBHOOK_PATH } from '../../src/contracts/telephony-webhook.ts';
import { localDateTime } from '../../src/domain/local-time.ts';
import { phraseText } from '../../src/media/phrases.ts';
import { nextCallerNumber, startCallStack, type CallStack } from '../support/call-stack.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { agentSaid, promptPlayed, SAME_WORDS } from '../support/words-heard.ts';
import { until } from '../support/pbx.ts';

const CALL_TIMEOUT_MS = 120_000;
/** Seconds, from `  1:02.3  Caller …`. */
function clockOf(line: string): number {
  const [, minutes, seconds] = /(\d+):([\d.]+)/.exec(line) ?? [];
  return Number(minutes) * 60 + Number(seconds);
}
/** Nothing answers these but Holdfast: numbers reserved for fiction. */
const numbers = { unknown: '+12025550190', inactive: '+12025550191', suspended: '+12025550192' };

let calls: CallStack;
const tenant = (): string => `/tenants/${calls.stack.demo.tenantId}`;

/** Runs while the shorter calls below come and go. */
let running: Promise<DemoResult>;
const printed: string[] = [];

beforeAll(async () => {
  calls = await startCallStack();
  const { stack, carrier } = calls;
  const temporal = { address: stack.env['TEMPORAL_ADDRESS'] ?? '', namespace: stack.env['TEMPORAL_NAMESPACE'] ?? '' };
  running = runDemo({ carrier, target: { apiUrl: stack.urls.api, demo: stack.demo, temporal }, print: (line) => printed.push(line) });
  running.catch(() => undefined);
}, CALL_TIMEOUT_MS);
afterAll(() => calls?.[Symbol.asyncDispose](), CALL_TIMEOUT_MS);

describe('calls that are not taken', () => {
  it(
    'answers a number that nobody has with SIP 404, and keeps no record',
    async () => {
      const dialled = await calls.dial({ to: numbers.unknown, script: [{ do: 'hangup' }] });
      expect(dialled.answered).toBe(false);
      // Q.850 1: unallocated number.
      expect((await dialled.call.ended).cause).toBe(1);
      expect(await calls.records.callOf({ callerNumber: dialled.from, sinceMs: dialled.placedAtMs })).toBeUndefined();
    },
    CALL_TIMEOUT_MS,
  );

  it(
    'tells the caller of an inactive number that it is not in service',
    async () => {
      await calls.api('POST', `${tenant()}/phone-numbers`, { did_number: numbers.inactive, is_active: false });
      const dialled = await calls.dial({ to: numbers.inactive, script: [{ do: 'await_hangup', timeoutMs: 20_000 }] });
      expect(dialled.failure).toBeNull();
      expect(await promptPlayed(await dialled.heard(), calls, 'not-in-service')).toBeGreaterThan(SAME_WORDS);
      expect(await dialled.record()).toMatchObject({ status: 'rejected', disposition: 'rejected', reason: 'inactive_did' });
    },
    CALL_TIMEOUT_MS,
  );

  it(
    'tells the caller of a suspended business the same',
    async () => {
      const { id } = await calls.api<{ id: string }>('POST', '/tenants', {
        name: 'Closed Shop',
        country: 'US',
        timezone: 'America/New_York',
      });
      await calls.api('POST', `/tenants/${id}/ai-profiles`, {
        name: 'Desk',
        role: 'receptionist',
        system_prompt: 'Be kind.',
        is_default: true,
      });
      await calls.api('POST', `/tenants/${id}/phone-numbers`, { did_number: numbers.suspended });
      await calls.api('PATCH', `/tenants/${id}`, { status: 'suspended' });
      const dialled = await calls.dial({ to: numbers.suspended, tenantId: id, script: [{ do: 'await_hangup', timeoutMs: 20_000 }] });
      expect(await promptPlayed(await dialled.heard(), calls, 'not-in-service')).toBeGreaterThan(SAME_WORDS);
      const record = await dialled.record();
      expect(record).toMatchObject({ status: 'rejected', disposition: 'rejected', reason: 'tenant_suspended' });
    },
    CALL_TIMEOUT_MS,
  );
});

describe('calls that end early', () => {
  it(
    'closes a call whose caller hangs up during the greeting as abandoned',
    async () => {
      const dialled = await calls.dial({ script: [{ do: 'interrupt', afterMs: 800 }, { do: 'hangup' }] });
      expect(dialled.answered).toBe(true);
      expect(await dialled.record()).toMatchObject({ status: 'completed', disposition: 'abandoned' });
    },
    CALL_TIMEOUT_MS,
  );

  it(
    'says goodbye when an operator ends the call',
    async () => {
      const from = nextCallerNumber();
      const sinceMs = Date.now();
      const talk = calls.dial({
        from,
        script: [
          { do: 'hear', what: 'a greeting', expect: /help/i },
          { do: 'await_hangup', timeoutMs: 30_000 },
        ],
      });
      let live: CallView | undefined;
      await until('the call is in progress', async () => {
        live = await calls.records.callOf({ callerNumber: from, sinceMs });
        return live?.status === 'in_progress';
      });
      await calls.api('POST', `${tenant()}/calls/${live?.id}/hangup`, { reason: 'shift_over' });
      const dialled = await talk;
      expect(await agentSaid(await dialled.heard(), phraseText.operator_goodbye)).toBeGreaterThan(SAME_WORDS);
      const record: CallDetailView = await dialled.record();
      expect(record).toMatchObject({ status: 'completed', disposition: 'operator_hangup' });
      await expect(calls.api('POST', `${tenant()}/calls/${record.id}/hangup`)).rejects.toThrow('409');
    },
    CALL_TIMEOUT_MS,
  );
});

describe('a narrowband caller', () => {
  it.each(['ulaw', 'alaw'] as const)(
    'hears the greeting over %s',
    async (codec) => {
      const dialled = await calls.dial({ codec, script: [{ do: 'hear', what: 'a greeting', expect: /help/i }, { do: 'hangup' }] });
      expect(dialled.failure).toBeNull();
      const record = await dialled.record();
      expect(await agentSaid(await dialled.heard(), record.turns[0]?.text ?? '')).toBeGreaterThan(SAME_WORDS);
      expect(record.disposition).toBe('abandoned');
    },
    CALL_TIMEOUT_MS,
  );
});

describe('the same webhook twice at once', () => {
  it(
    'is one call with one answer',
    async () => {
      const from = nextCallerNumber();
      const sinceMs = Date.now();
      const body = JSON.stringify({
        caller_number: from,
        called_number: calls.stack.demo.did,
        call_id: `twice-${sinceMs}`,
        timestamp: Math.floor(sinceMs / 1_000),
        channel_id: `twice-${sinceMs}`,
      });
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${calls.stack.env['TELEPHONY_WEBHOOK_SECRET']}` };
      const post = () => fetch(`${calls.stack.urls.api}${INBOUND_WEBHOOK_PATH}`, { method: 'POST', headers, body });
      const answers = await Promise.all(
        [post(), post(), post()].map(async (response) => (await (await response).json()) as InboundWebhookResponse),
      );
      expect(answers[0]).toMatchObject({ status: 'accepted', call_record_id: expect.any(String) });
      expect(answers[1]).toEqual(answers[0]);
      expect(answers[2]).toEqual(answers[0]);
      // The channel never comes: the record is closed all the same, once.
      const record = await calls.records.finished({ callerNumber: from, sinceMs }, 60_000);
      expect(['abandoned', 'error']).toContain(record.disposition);
      const { items } = await calls.api<Page<CallView>>('GET', `${tenant()}/calls?caller_number=${encodeURIComponent(from)}`);
      expect(items).toHaveLength(1);
    },
    CALL_TIMEOUT_MS,
  );
});

describe('the demo call', () => {
  let demo: DemoResult;

  beforeAll(async () => {
    demo = await running;
  }, CALL_TIMEOUT_MS);

  it('runs to its end with every expectation of the script held', () => {
    expect(demo.failures).toEqual([]);
    expect(demo.call).toMatchObject({ status: 'completed', disposition: 'completed', reason: 'end_call', script: { passed: true } });
  });

  it('understood the caller and answered each turn audibly', () => {
    const turns = demo.call?.turns ?? [];
    expect(turns.length).toBeGreaterThanOrEqual(3);
    expect(turns[0]?.caller).toMatch(/opening hours/);
    expect(turns.every((turn) => turn.agent !== '' && turn.latencyMs !== null)).toBe(true);
  });

  it('let itself be interrupted, and noted what was heard of the interrupted answer only', async () => {
    expect(demo.call?.bargeInStopMs).toEqual(expect.any(Number));
    const interrupted = demo.call?.turns.filter((turn) => turn.interrupted) ?? [];
    expect(interrupted).toHaveLength(1);
    const { turns } = await calls.records.call(demo.call?.callId ?? '');
    const cut = turns.find((turn) => turn.interrupted);
    expect(cut?.text.startsWith(cut.heard_text)).toBe(true);
    expect(cut?.heard_text.length).toBeLessThan(cut?.text.length ?? 0);
  });

  it('booked the appointment that was asked for', async () => {
    const { timezone } = await calls.api<{ timezone: string }>('GET', tenant());
    const startsAt = new Date(demo.call?.booking?.startsAt ?? '');
    expect(localDateTime(startsAt, timezone)).toMatchObject({ weekday: 'wednesday', time: '11:00' });
    expect(startsAt.getTime()).toBeGreaterThan(Date.now());
    expect(startsAt.getTime() - Date.now()).toBeLessThan(8 * 86_400_000);
  });

  it('keeps the history of its workflow short', () => {
    expect(demo.call?.historyEvents).toBeLessThanOrEqual(30);
    expect(demo.call?.historyEvents).toBeGreaterThan(5);
  });

  it('shows the conversation, in the order in which it was spoken', () => {
    const talk = printed.filter((line) => /Caller|Agent/.test(line));
    const startsAt = talk.map(clockOf);
    expect(startsAt).toEqual([...startsAt].sort((a, b) => a - b));
    expect(talk.some((line) => line.includes('Caller ⟂'))).toBe(true);
    expect(talk.at(-1)).toMatch(/Agent.*goodbye/i);
  });

  it('leaves recordings of both directions', async () => {
    for (const path of Object.values(demo.call?.recording ?? { missing: 'missing' })) await access(path);
  });
});

describe('after all these calls', () => {
  it(
    'nothing is left: no channel, bridge, workflow, or Redis key without TTL',
    async () => {
      await assertNothingLeft(calls);
    },
    CALL_TIMEOUT_MS,
  );

  it('every call has one terminal disposition', async () => {
    const { items } = await calls.api<Page<CallView>>('GET', `${tenant()}/calls`);
    expect(items.length).toBeGreaterThan(3);
    for (const call of items) {
      expect(['completed', 'failed', 'rejected']).toContain(call.status);
      expect(call.disposition).not.toBeNull();
      expect(call.ended_at).not.toBeNull();
    }
  });
});
