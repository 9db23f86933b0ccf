import { Tenant } from '../../src/db/entities/tenant.ts';
import { CallLog } from '../../src/services/call-log.ts';
import { seedDemo } from '../../src/services/seed.ts';
import { AIProfiles } from '../../src/services/ai-profiles.ts';
import { PhoneNumbers } from '../../src/services/phone-numbers.ts';
import { addTenant, tenantWorld, type TenantWorld } from '../support/tenant-world.ts';

let world: TenantWorld;
beforeAll(async () => {
  world = await tenantWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

test('seedDemo makes a business that can be called, once', async () => {
  const demo = await seedDemo(world);
  expect(demo.did).toBe('+12025550143');
  expect(await seedDemo(world, { did: '+12025550143' })).toEqual(demo);
  expect(await world.db.asPlatform((em) => em.count(Tenant, {}))).toBe(1);
  const profiles = (await new AIProfiles(world).list(demo.tenantId, { limit: 10 })).items;
  expect(profiles).toMatchObject([{ role: 'receptionist', is_default: true }]);
  const numbers = (await new PhoneNumbers(world).list(demo.tenantId, { limit: 10 })).items;
  expect(numbers).toMatchObject([{ did_number: '+12025550143', is_active: true, ai_profile_id: profiles[0]?.id }]);
  expect((await new CallLog(world).list(demo.tenantId, { limit: 10 })).items).toEqual([]);
});

test('seedDemo takes no number away from a real tenant', async () => {
  const tenant = await addTenant(world);
  await expect(seedDemo(world, { did: tenant.did })).rejects.toMatchObject({ code: 'conflict' });
});
