import { fulfils, wishOf } from '../../setup/demo/demo-script.ts';

describe('wishOf', () => {
  it('gives 24 callers 24 different appointments', () => {
    const wishes = Array.from({ length: 24 }, (_, n) => wishOf(n));
    expect(new Set(wishes.map((wish) => `${wish.day} ${wish.clock}`)).size).toBe(24);
  });
});

describe('fulfils', () => {
  const wish = wishOf(0);

  it("compares in the business's own time", () => {
    // Wednesday 11:00 in New York is 16:00 UTC in winter and 15:00 in summer.
    expect(fulfils(wish, new Date('2026-01-07T16:00:00Z'), 'America/New_York')).toBe(true);
    expect(fulfils(wish, new Date('2026-07-08T15:00:00Z'), 'America/New_York')).toBe(true);
    expect(fulfils(wish, new Date('2026-01-07T11:00:00Z'), 'America/New_York')).toBe(false);
  });

  it('accepts the same hour on the other day that the caller offers, and no other', () => {
    expect(fulfils(wish, new Date('2026-01-08T16:00:00Z'), 'America/New_York')).toBe(true);
    expect(fulfils(wish, new Date('2026-01-09T16:00:00Z'), 'America/New_York')).toBe(false);
  });
});
