import { internationalReadings, maskNumber, nationalReadings, toE164 } from '../../src/lib/phone-numbers.ts';

describe('toE164', () => {
  test.each([
    ['+1 (202) 555-0143', undefined, '+12025550143'],
    ['202 555 0143', 'US', '+12025550143'],
    ['020 7946 0018', 'GB', '+442079460018'],
    ['0044 20 7946 0018', 'DE', '+442079460018'],
    ['098765 43210', 'IN', '+919876543210'],
  ])('reads "%s" in %s as %s', (raw, country, e164) => {
    expect(toE164(raw, country)).toBe(e164);
  });

  test.each([
    '2025550143',
    '+',
    '+1',
    'anonymous',
    '1-800-FLOWERS',
    '+12025550143;drop table',
    'tel:+12025550143',
    '',
    '+123456789012345678',
  ])('does not read "%s" without a country', (raw) => {
    expect(toE164(raw)).toBeNull();
  });

  test('an unknown country is no country', () => {
    expect(toE164('202 555 0143', 'XX')).toBeNull();
  });
});

test('internationalReadings need no country: with and without plus, and after 00', () => {
  for (const dialled of ['+12025550143', '12025550143', '0012025550143']) {
    expect(internationalReadings(dialled)).toContainEqual({ e164: '+12025550143', country: null });
  }
  expect(internationalReadings('anonymous')).toEqual([]);
});

test('nationalReadings name the country of each reading, and leave international numbers alone', () => {
  expect(nationalReadings('2025550143')).toContainEqual({ e164: '+12025550143', country: 'US' });
  expect(nationalReadings('02079460018')).toContainEqual({ e164: '+442079460018', country: 'GB' });
  expect(nationalReadings('+12025550143')).toEqual([]);
});

test('maskNumber shows the last four digits', () => {
  expect(maskNumber('+12025550199')).toBe('•••••••0199');
  expect(maskNumber('12')).toBe('12');
});
