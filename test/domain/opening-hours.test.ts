import {
  defaultOpeningHours,
  intervalsInOrder,
  minutesOf,
  spokenHours,
  spokenTime,
  timeOf,
  type OpeningHours,
} from '../../src/domain/opening-hours.ts';

describe('minutesOf and timeOf', () => {
  test.each([
    ['00:00', 0],
    ['09:30', 570],
    ['24:00', 1_440],
  ])('%s is %i minutes since midnight, and back', (time, minutes) => {
    expect(minutesOf(time)).toBe(minutes);
    expect(timeOf(minutes)).toBe(time);
  });

  test.each(['9:30', '24:01', '25:00', '12:60', '', 'noon'])('"%s" is no time', (time) => {
    expect(minutesOf(time)).toBeNaN();
  });
});

describe('intervalsInOrder', () => {
  test('accepts a lunch break, and one interval that begins where the other ends', () => {
    expect(
      intervalsInOrder([
        { open: '08:00', close: '12:00' },
        { open: '13:00', close: '17:00' },
      ]),
    ).toBe(true);
    expect(
      intervalsInOrder([
        { open: '08:00', close: '12:00' },
        { open: '12:00', close: '17:00' },
      ]),
    ).toBe(true);
  });

  test('refuses overlaps, wrong order, empty intervals and nonsense', () => {
    expect(
      intervalsInOrder([
        { open: '08:00', close: '12:00' },
        { open: '11:00', close: '17:00' },
      ]),
    ).toBe(false);
    expect(
      intervalsInOrder([
        { open: '13:00', close: '17:00' },
        { open: '08:00', close: '12:00' },
      ]),
    ).toBe(false);
    expect(intervalsInOrder([{ open: '08:00', close: '08:00' }])).toBe(false);
    expect(intervalsInOrder([{ open: 'nine', close: '17:00' }])).toBe(false);
  });
});

describe('spokenTime', () => {
  test.each([
    ['09:00', '9 AM'],
    ['12:00', 'noon'],
    ['12:30', '12:30 PM'],
    ['00:00', 'midnight'],
    ['00:15', '12:15 AM'],
    ['17:45', '5:45 PM'],
  ])('%s is said "%s"', (time, words) => {
    expect(spokenTime(time)).toBe(words);
  });
});

describe('spokenHours', () => {
  test('puts days of the same hours together', () => {
    const hours: OpeningHours = { ...defaultOpeningHours, saturday: [{ open: '10:00', close: '14:00' }] };
    expect(spokenHours(hours)).toBe('Monday to Friday from 9 AM to 5 PM, Saturday from 10 AM to 2 PM; closed on Sunday');
  });

  test('names a break, and a business that never opens', () => {
    const half = [
      { open: '08:00', close: '12:00' },
      { open: '13:00', close: '16:00' },
    ];
    const closed: OpeningHours = { monday: [], tuesday: [], wednesday: [], thursday: [], friday: [], saturday: [], sunday: [] };
    expect(spokenHours({ ...closed, monday: half })).toBe('Monday from 8 AM to noon and from 1 PM to 4 PM; closed on Tuesday to Sunday');
    expect(spokenHours(closed)).toBe('closed every day');
  });
});
