/** Dates, times and names as callers say them. 2026-11-21 is a Saturday. */
import { understand } from '../../src/providers/embedded/receptionist/meaning.ts';

const TODAY = '2026-11-21';
const slot = (said: string, asked: Parameters<typeof understand>[1]['asked'] = 'nothing') => {
  const { date, time } = understand(said, { today: TODAY, asked });
  return [date, time];
};

describe('understand', () => {
  it.each([
    ['monday at ten', '2026-11-23', '10:00'],
    ['Monday at 10.', '2026-11-23', '10:00'],
    ['on tuesday at half past two', '2026-11-24', '14:30'],
    ['wednesday at eleven in the morning', '2026-11-25', '11:00'],
    ['friday at quarter past three', '2026-11-27', '15:15'],
    ['saturday at ten thirty a m', '2026-11-28', '10:30'],
    ["next monday at nine o'clock", '2026-11-23', '09:00'],
    ['the third of december at four in the afternoon please', '2026-12-03', '16:00'],
    ['december twelfth at one thirty', '2026-12-12', '13:30'],
    ['December 3rd at 2:30 p.m.', '2026-12-03', '14:30'],
    ['on the twenty second at noon', '2026-11-22', '12:00'],
    ['on the tenth at ten', '2026-12-10', '10:00'],
    ['tomorrow at nine', '2026-11-22', '09:00'],
    ['the day after tomorrow at quarter to five', '2026-11-23', '16:45'],
    ['thursday not tuesday at three', '2026-11-26', '15:00'],
    ['january fifth at eight', '2027-01-05', '08:00'],
    ['a week on monday at twelve', '2026-11-30', '12:00'],
    ['friday ten thirty', '2026-11-27', '10:30'],
    ['on wednesday at one in the afternoon', '2026-11-25', '13:00'],
  ])('reads day and time from "%s"', (said, date, time) => {
    expect(slot(said)).toEqual([date, time]);
  });

  it.each([
    ['ten thirty a m', '10:30'],
    ['half past two', '14:30'],
    ['at five p m', '17:00'],
    ['make it eleven instead', '11:00'],
    ['three would be great', '15:00'],
    ['ten past nine', '09:10'],
    ['not at ten at eleven', '11:00'],
  ])('reads an answer to "what time?" from "%s"', (said, time) => {
    expect(slot(said, 'time')).toEqual([undefined, time]);
  });

  it.each(['i have two children', 'i need one moment', 'forty five people', 'the twenty ninth of february at 25:70'])(
    'finds no time in "%s"',
    (said) => {
      expect(slot(said)[1]).toBeUndefined();
    },
  );

  it.each([
    ['my name is john smith', 'John Smith'],
    ['hello my name is Sarah Johnson and i would like an appointment', 'Sarah Johnson'],
    ['call me anna', 'Anna'],
  ])('finds the name in "%s" whenever it is said', (said, name) => {
    expect(understand(said, { today: TODAY, asked: 'nothing' }).name).toBe(name);
  });

  it.each([
    ['it is for david miller', 'David Miller'],
    ['John Smith, please.', 'John Smith'],
    ['yes this is maria', 'Maria'],
  ])('finds the name in "%s" when asked for it', (said, name) => {
    expect(understand(said, { today: TODAY, asked: 'name' }).name).toBe(name);
    expect(understand(said, { today: TODAY, asked: 'nothing' }).name).toBeUndefined();
  });

  it.each(['yes please', 'no', 'what was that', 'tomorrow at nine', 'can i speak to a human', 'the weather has been terrible all week'])(
    'takes "%s" for no name',
    (said) => {
      expect(understand(said, { today: TODAY, asked: 'name' }).name).toBeUndefined();
    },
  );
});
