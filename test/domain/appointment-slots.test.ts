import { findSlot, nearestTimes, openSlots, type SlotQuery } from '../../src/domain/appointment-slots.ts';
import { defaultOpeningHours } from '../../src/domain/opening-hours.ts';

/** Friday, 10:10 in New York. */
const now = new Date('2026-11-20T15:10:00Z');
const query = (date: string, change: Partial<SlotQuery> = {}): SlotQuery => ({
  date,
  hours: defaultOpeningHours,
  zone: 'America/New_York',
  now,
  ...change,
});

describe('openSlots', () => {
  test('a whole working day has sixteen half hours, the last of which ends at closing time', () => {
    const slots = openSlots(query('2026-11-23'));
    expect(slots).toHaveLength(16);
    expect(slots[0]).toEqual({ time: '09:00', startsAt: new Date('2026-11-23T14:00:00Z'), endsAt: new Date('2026-11-23T14:30:00Z') });
    expect(slots.at(-1)?.time).toBe('16:30');
  });

  test('today only what has not begun', () => {
    expect(openSlots(query('2026-11-20'))[0]?.time).toBe('10:30');
  });

  test('none on a closed day, in the past, beyond a year, or on no day at all', () => {
    for (const date of ['2026-11-22', '2026-11-19', '2028-01-03', '2026-02-30', 'monday']) expect(openSlots(query(date))).toEqual([]);
  });

  test('an interval shorter than a slot has none, and a break is left out', () => {
    const hours = {
      ...defaultOpeningHours,
      monday: [
        { open: '09:00', close: '09:20' },
        { open: '11:00', close: '12:00' },
      ],
    };
    expect(openSlots(query('2026-11-23', { hours })).map(({ time }) => time)).toEqual(['11:00', '11:30']);
  });

  test('leaves out the hour that spring takes away', () => {
    const hours = { ...defaultOpeningHours, sunday: [{ open: '01:00', close: '04:00' }] };
    const at = new Date('2026-03-01T00:00:00Z');
    expect(openSlots(query('2026-03-08', { hours, now: at })).map(({ time }) => time)).toEqual(['01:00', '01:30', '03:00', '03:30']);
  });
});

describe('findSlot', () => {
  test('finds the slot of an opening hour', () => {
    expect(findSlot(query('2026-11-23'), '10:00')).toMatchObject({ slot: { startsAt: new Date('2026-11-23T15:00:00Z') } });
  });

  test.each([
    ['2026-11-20', '10:00', 'past'],
    ['2026-11-22', '10:00', 'closed_day'],
    ['2026-11-23', '08:30', 'outside_hours'],
    ['2026-11-23', '17:00', 'outside_hours'],
    ['2026-11-23', '10:10', 'not_a_slot'],
    ['2028-01-03', '10:00', 'too_far_ahead'],
    ['2026-02-30', '10:00', 'invalid_date'],
  ])('%s %s is refused as %s', (date, time, refusal) => {
    expect(findSlot(query(date), time)).toEqual({ refusal });
  });
});

test('nearestTimes offers what is close to the wish, in order', () => {
  expect(nearestTimes(['09:00', '09:30', '11:00', '15:00', '16:00'], '10:00', 3)).toEqual(['09:00', '09:30', '11:00']);
});
