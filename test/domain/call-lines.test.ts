import { lineRefusal, linesOfPlan, type CallLoad, type LineLimits } from '../../src/domain/call-lines.ts';

const quiet: CallLoad = { open: 0, openOfTenant: 0, busyTenants: 1, callableTenants: 2 };
const limits: LineLimits = { tenant: 100, platform: 20, mediaCapacity: 1_000 };
const ask = (load: Partial<CallLoad>, change: Partial<LineLimits> = {}) => lineRefusal({ ...quiet, ...load }, { ...limits, ...change });

test('lineRefusal lets a tenant up to its own limit, and not one call further', () => {
  expect(ask({ open: 4, openOfTenant: 4 }, { tenant: 5 })).toBeNull();
  expect(ask({ open: 5, openOfTenant: 5 }, { tenant: 5 })).toBe('over_limit');
});

test('lineRefusal closes the platform at its limit, for everybody', () => {
  expect(ask({ open: 20, openOfTenant: 0, busyTenants: 3 })).toBe('no_capacity');
});

test('lineRefusal gives a platform with one tenant all its lines', () => {
  expect(ask({ open: 19, openOfTenant: 19, callableTenants: 1 })).toBeNull();
  expect(ask({ open: 20, openOfTenant: 20, callableTenants: 1 })).toBe('no_capacity');
});

test('lineRefusal keeps the last fifth of the lines for tenants below their fair share', () => {
  expect(ask({ open: 15, openOfTenant: 15 })).toBeNull();
  expect(ask({ open: 16, openOfTenant: 16 })).toBe('over_share');
  expect(ask({ open: 16, openOfTenant: 0, busyTenants: 2 })).toBeNull();
  expect(ask({ open: 19, openOfTenant: 9, busyTenants: 2 })).toBeNull();
  expect(ask({ open: 19, openOfTenant: 10, busyTenants: 2 })).toBe('over_share');
});

test('lineRefusal never refuses a tenant without a call for the sake of fairness', () => {
  expect(ask({ open: 19, openOfTenant: 0, busyTenants: 20 })).toBeNull();
  expect(ask({ open: 3, openOfTenant: 0, busyTenants: 4 }, { platform: 4 })).toBeNull();
});

test('lineRefusal takes what the media nodes can hold when that is less than the limit', () => {
  expect(ask({ open: 8, openOfTenant: 8 }, { platform: 500, mediaCapacity: 10 })).toBe('over_share');
  expect(ask({ open: 8, openOfTenant: 0, busyTenants: 2 }, { platform: 500, mediaCapacity: 10 })).toBeNull();
});

test('linesOfPlan rises with the plan', () => {
  expect(linesOfPlan.starter).toBeLessThan(linesOfPlan.growth);
  expect(linesOfPlan.growth).toBeLessThan(linesOfPlan.custom);
});
