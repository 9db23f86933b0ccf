import { randomUUID } from 'node:crypto';
import type { ToolResult } from '../../src/contracts/media-control.ts';
import { CallLog } from '../../src/services/call-log.ts';
import { runTool } from '../../src/services/tools.ts';
import { addCall, addTenant, tenantWorld, type TenantWorld } from '../support/tenant-world.ts';

let world: TenantWorld;
let tenantId: string;
let callId: string;
beforeAll(async () => {
  world = await tenantWorld();
});
beforeEach(async () => {
  tenantId = (await addTenant(world)).tenantId;
  callId = await addCall(world, tenantId);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** Friday, 10:00 in New York; Monday is 2026-11-23. */
const now = (): Date => new Date('2026-11-20T15:00:00Z');
let keys = 0;

async function run(
  name: string,
  args: unknown,
  change: { key?: string; callId?: string; tenantId?: string } = {},
): Promise<ToolResult & { json: Record<string, unknown> }> {
  const text = typeof args === 'string' ? args : JSON.stringify(args);
  const result = await runTool({ db: world.db, now }, { tenantId, callId, key: `${keys++}:0`, name, arguments: text, ...change });
  return { ...result, json: JSON.parse(result.content) as Record<string, unknown> };
}

const bookings = async () => (await new CallLog(world).bookings(tenantId, { limit: 100 })).items;

describe('get_opening_hours', () => {
  test('tells the week', async () => {
    expect((await run('get_opening_hours', {})).json).toEqual({
      summary: 'Bright Smile Dental is open Monday to Friday from 9 AM to 5 PM; closed on Saturday to Sunday.',
      timezone: 'America/New_York',
      week: {
        monday: ['09:00-17:00'],
        tuesday: ['09:00-17:00'],
        wednesday: ['09:00-17:00'],
        thursday: ['09:00-17:00'],
        friday: ['09:00-17:00'],
        saturday: [],
        sunday: [],
      },
    });
  });

  test('tells one day, open or closed', async () => {
    expect((await run('get_opening_hours', { date: '2026-11-23' })).json).toMatchObject({
      weekday: 'monday',
      open: ['09:00-17:00'],
      summary: 'On Monday, November 23 we are open from 9 AM to 5 PM.',
    });
    expect((await run('get_opening_hours', { date: '2026-11-22' })).json).toMatchObject({
      open: [],
      summary: 'We are closed on Sunday, November 22.',
    });
  });

  test('takes what models send for no arguments', async () => {
    for (const nothing of ['', '{}', '{"date":null}']) expect((await run('get_opening_hours', nothing)).ok).toBe(true);
  });
});

describe('check_availability', () => {
  test('offers a few free times of a day', async () => {
    expect((await run('check_availability', { date: '2026-11-23' })).json).toMatchObject({
      weekday: 'monday',
      free: ['09:00', '09:30', '10:00', '10:30', '11:00', '11:30'],
      free_count: 16,
    });
  });

  test('a booked time is no longer free', async () => {
    await run('book_appointment', { date: '2026-11-23', time: '09:30' });
    const { json } = await run('check_availability', { date: '2026-11-23', time: '09:30' });
    expect(json).toMatchObject({ requested: { time: '09:30', available: false, reason: 'taken' }, free_count: 15 });
    expect(json['free']).not.toContain('09:30');
  });

  test('says why a time cannot be', async () => {
    const { json } = await run('check_availability', { date: '2026-11-22', time: '10:00' });
    expect(json).toMatchObject({
      free: [],
      requested: { available: false, reason: 'closed_day' },
      summary: 'We are closed on Sunday, November 22.',
    });
  });
});

describe('book_appointment', () => {
  test('books the slot of the local time, with what the caller told', async () => {
    const { ok, json } = await run('book_appointment', {
      date: '2026-11-23',
      time: '10:00',
      name: ' Ann ',
      service: 'cleaning',
      notes: '',
    });
    expect(ok).toBe(true);
    expect(json).toMatchObject({
      booked: true,
      date: '2026-11-23',
      time: '10:00',
      weekday: 'monday',
      summary: 'Booked for Monday, November 23 at 10 AM.',
    });
    expect(await bookings()).toMatchObject([
      {
        id: json['booking_id'],
        status: 'confirmed',
        starts_at: '2026-11-23T15:00:00.000Z',
        ends_at: '2026-11-23T15:30:00.000Z',
        customer_name: 'Ann',
        service: 'cleaning',
        notes: null,
        source_call_id: callId,
      },
    ]);
  });

  test('gives a slot to one caller only, also at the same moment', async () => {
    const calls = await Promise.all(Array.from({ length: 6 }, () => addCall(world, tenantId)));
    const results = await Promise.all(calls.map((id) => run('book_appointment', { date: '2026-11-24', time: '11:00' }, { callId: id })));
    expect(results.filter(({ json }) => json['booked'] === true)).toHaveLength(1);
    const losers = results.filter(({ json }) => json['booked'] === false);
    expect(losers).toHaveLength(5);
    for (const { ok, json } of losers) {
      expect(ok).toBe(true);
      expect(json).toMatchObject({ reason: 'taken', alternatives: ['09:30', '10:00', '10:30', '11:30', '12:00', '12:30'] });
    }
    expect(await bookings()).toHaveLength(1);
  });

  test.each([
    ['2026-11-22', '10:00', 'closed_day'],
    ['2026-11-23', '18:00', 'outside_hours'],
    ['2026-11-23', '10:10', 'not_a_slot'],
    ['2026-11-20', '09:00', 'past'],
    ['2029-01-02', '10:00', 'too_far_ahead'],
    ['2026-11-31', '10:00', 'invalid_date'],
  ])('%s %s is not booked: %s', async (date, time, reason) => {
    const { json } = await run('book_appointment', { date, time });
    expect(json).toMatchObject({ booked: false, reason });
    expect(json['summary']).toMatch(/\.$/);
    expect(await bookings()).toEqual([]);
  });

  test('one tenant’s diary does not fill another’s', async () => {
    await run('book_appointment', { date: '2026-11-23', time: '10:00' });
    const other = await addTenant(world);
    const otherCall = await addCall(world, other.tenantId);
    const { json } = await run('book_appointment', { date: '2026-11-23', time: '10:00' }, { tenantId: other.tenantId, callId: otherCall });
    expect(json['booked']).toBe(true);
  });
});

describe('a key that comes again', () => {
  test('gets the stored result, word for word, and no second booking', async () => {
    const first = await run('book_appointment', { date: '2026-11-23', time: '10:00' }, { key: '3:0' });
    // Even with other arguments: the key is what counts.
    const again = await run('book_appointment', { date: '2026-11-23', time: '11:00' }, { key: '3:0' });
    expect(again).toEqual(first);
    expect(await bookings()).toHaveLength(1);
  });

  test('at the same moment runs once', async () => {
    const results = await Promise.all(
      Array.from({ length: 6 }, () => run('book_appointment', { date: '2026-11-23', time: '10:00' }, { key: '4:0' })),
    );
    expect(new Set(results.map(({ content }) => content)).size).toBe(1);
    expect(results[0]?.json['booked']).toBe(true);
    expect(await bookings()).toHaveLength(1);
  });

  test('belongs to its call: the same key in another call runs', async () => {
    await run('book_appointment', { date: '2026-11-23', time: '10:00' }, { key: '5:0' });
    const other = await addCall(world, tenantId);
    expect((await run('book_appointment', { date: '2026-11-23', time: '11:00' }, { key: '5:0', callId: other })).json['booked']).toBe(true);
    expect(await bookings()).toHaveLength(2);
  });

  test('a run that failed half-way left neither booking nor key behind', async () => {
    // The zone is broken in between, so the tool throws inside the transaction.
    const broken = await addTenant(world, { timezone: 'Nowhere/At-All' });
    const brokenCall = await addCall(world, broken.tenantId);
    const ids = { tenantId: broken.tenantId, callId: brokenCall };
    await expect(run('book_appointment', { date: '2026-11-23', time: '10:00' }, { ...ids, key: '6:0' })).rejects.toThrow(RangeError);
    const detail = await new CallLog(world).get(ids);
    expect([detail.tool_runs, detail.bookings]).toEqual([[], []]);
  });
});

describe('what a model may write', () => {
  test.each([
    ['book_appointment', '{"date":"2026-11-23"}', ['time']],
    ['book_appointment', '{"date":"next monday","time":"10am"}', ['date', 'time']],
    ['check_availability', 'not json', ['']],
    ['check_availability', '[]', ['']],
    ['book_appointment', JSON.stringify({ date: '2026-11-23', time: '10:00', name: 'x'.repeat(201) }), ['name']],
  ])('%s %s is answered with the fields that are wrong', async (name, args, paths) => {
    const { ok, json } = await run(name, args);
    expect(ok).toBe(false);
    expect(json['error']).toBe('invalid_arguments');
    expect((json['fields'] as { path: string }[]).map(({ path }) => path)).toEqual(paths);
    expect(await bookings()).toEqual([]);
  });

  test('characters that cannot be stored do not cost the caller the appointment', async () => {
    const { json } = await run('book_appointment', { date: '2026-11-23', time: '10:00', name: 'A\u0000nn \ud800' });
    expect(json['booked']).toBe(true);
    expect((await bookings())[0]?.customer_name).toMatch(/^Ann/);
    expect((await run('fly\u0000', '{}')).json['error']).toBe('tool_unknown');
  });

  test('an unknown tool is answered, and on record', async () => {
    const { ok, json } = await run('transfer_money', '{"amount":1}');
    expect([ok, json['error']]).toEqual([false, 'tool_unknown']);
    expect((await new CallLog(world).get({ tenantId, callId })).tool_runs).toMatchObject([{ name: 'transfer_money', status: 'failed' }]);
  });

  test('end_call only goes on record', async () => {
    expect((await run('end_call', '{"reason":"bye"}')).json).toEqual({ ending: true, summary: 'The call ends after your goodbye.' });
  });
});

test('an unknown call is not_found', async () => {
  await expect(run('end_call', {}, { callId: randomUUID() })).rejects.toMatchObject({ code: 'not_found' });
});
