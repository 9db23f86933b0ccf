import fc from 'fast-check';
import { addDays, instantOf, isDate, isTimeZone, localDateTime, weekdayOf } from '../../src/domain/local-time.ts';

describe('localDateTime', () => {
  test('is the wall clock of the zone, on its own day', () => {
    const instant = new Date('2026-11-21T03:30:00Z');
    expect(localDateTime(instant, 'America/New_York')).toEqual({ date: '2026-11-20', time: '22:30', weekday: 'friday' });
    expect(localDateTime(instant, 'Asia/Kathmandu')).toEqual({ date: '2026-11-21', time: '09:15', weekday: 'saturday' });
  });

  test('midnight is 00:00, not 24:00', () => {
    expect(localDateTime(new Date('2026-11-21T00:00:00Z'), 'UTC').time).toBe('00:00');
  });
});

describe('instantOf', () => {
  test('knows summer and winter time', () => {
    expect(instantOf('2026-07-01', '09:00', 'America/New_York')?.toISOString()).toBe('2026-07-01T13:00:00.000Z');
    expect(instantOf('2026-12-01', '09:00', 'America/New_York')?.toISOString()).toBe('2026-12-01T14:00:00.000Z');
  });

  test('a time that the clocks jump over does not exist', () => {
    expect(instantOf('2026-03-08', '02:30', 'America/New_York')).toBeNull();
    expect(instantOf('2026-03-08', '03:00', 'America/New_York')?.toISOString()).toBe('2026-03-08T07:00:00.000Z');
  });

  test('of a time that comes twice it takes the first', () => {
    expect(instantOf('2026-11-01', '01:30', 'America/New_York')?.toISOString()).toBe('2026-11-01T05:30:00.000Z');
  });

  test.each([
    ['2026-02-30', '09:00'],
    ['2026-13-01', '09:00'],
    ['tomorrow', '09:00'],
    ['2026-01-01', 'nine'],
  ])('%s %s is no time at all', (date, time) => {
    expect(instantOf(date, time, 'Europe/Berlin')).toBeNull();
  });

  test('comes back from every existing local time, in zones with odd offsets too', () => {
    const zones = fc.constantFrom(
      'UTC',
      'America/New_York',
      'Europe/London',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'America/St_Johns',
    );
    const minutes = fc.integer({ min: Date.parse('2024-01-01') / 60_000, max: Date.parse('2028-01-01') / 60_000 });
    fc.assert(
      fc.property(zones, minutes, (zone, minute) => {
        const local = localDateTime(new Date(minute * 60_000), zone);
        const found = instantOf(local.date, local.time, zone);
        expect(found === null ? null : localDateTime(found, zone)).toEqual(local);
      }),
      { numRuns: 300 },
    );
  });
});

test('weekdayOf, addDays and isDate agree with the calendar', () => {
  expect(weekdayOf('2026-11-21')).toBe('saturday');
  expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
  expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
  expect([isDate('2026-02-28'), isDate('2026-02-29'), isDate('2026-2-1')]).toEqual([true, false, false]);
});

test('isTimeZone knows IANA names only', () => {
  expect([isTimeZone('Europe/Berlin'), isTimeZone('Mars/Olympus'), isTimeZone('')]).toEqual([true, false, false]);
});
