/** Phone numbers as carriers write them → E.164, by libphonenumber's full metadata. */
import { getCountries, isSupportedCountry, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';

/** One way to read a dialled number; `country` is set when it was read as that country's national form. */
export interface NumberReading {
  readonly e164: string;
  readonly country: string | null;
}

/** Letters would be taken for the digits of a telephone keypad; carriers never send them. */
const DIALLED = /^[+\d\s().-]{3,40}$/;

export const isCountry = (code: string): boolean => isSupportedCountry(code);

/** "+12025550143" for anything that libphonenumber reads as one possible number, otherwise null. */
export function toE164(raw: string, country?: string): string | null {
  const text = raw.trim();
  if (!DIALLED.test(text)) return null;
  const region = country !== undefined && isSupportedCountry(country) ? country : undefined;
  const parsed = parsePhoneNumberFromString(text, { ...(region === undefined ? {} : { defaultCountry: region }), extract: false });
  return parsed?.isPossible() === true ? parsed.number : null;
}

/** Readings that need no country: +E.164, E.164 without its plus, and after the prefix 00. */
export function internationalReadings(raw: string): NumberReading[] {
  const text = raw.trim();
  if (!DIALLED.test(text)) return [];
  const digits = text.replace(/\D/g, '');
  const forms = text.startsWith('+') ? [`+${digits}`] : [`+${digits}`, ...(digits.startsWith('00') ? [`+${digits.slice(2)}`] : [])];
  const numbers = forms.map((form) => toE164(form)).filter((number) => number !== null);
  return [...new Set(numbers)].map((e164) => ({ e164, country: null }));
}

/**
 * The same digits read as every country's national form ("020 7946 0000" in GB). Which reading is
 * meant is only known once it meets a number whose owner lives in that country.
 */
export function nationalReadings(raw: string): NumberReading[] {
  const text = raw.trim();
  if (!DIALLED.test(text) || text.startsWith('+')) return [];
  return getCountries().flatMap((country: CountryCode) => {
    const e164 = toE164(text, country);
    return e164 === null ? [] : [{ e164, country }];
  });
}

/** For people to read: only the last four digits. */
export function maskNumber(e164: string): string {
  const digits = e164.replace(/\D/g, '');
  return `${'•'.repeat(Math.max(0, digits.length - 4))}${digits.slice(-4)}`;
}
