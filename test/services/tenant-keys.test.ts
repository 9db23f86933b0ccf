import { randomBytes } from 'node:crypto';
import { Tenant } from '../../src/db/entities/tenant.ts';
import { NumberVault } from '../../src/services/number-vault.ts';
import { rewrapTenantKeys } from '../../src/services/tenant-keys.ts';
import { addTenant, tenantWorld } from '../support/tenant-world.ts';

test('after a rotation numbers open with the new platform key alone, once the tenants’ keys are wrapped under it', async () => {
  const [old, fresh, numberHash] = [randomBytes(32), randomBytes(32), randomBytes(32)];
  await using world = await tenantWorld();
  const before = new NumberVault({ encryption: old, numberHash });
  const ids = [await addTenant({ ...world, vault: before }), await addTenant({ ...world, vault: before })].map(({ tenantId }) => tenantId);
  const keyOf = (tenantId: string): Promise<Uint8Array> =>
    world.db.asPlatform(async (em) => (await em.findOneOrFail(Tenant, { id: tenantId }, { populate: ['wrappedDataKey'] })).wrappedDataKey);
  const owner = async (tenantId: string) => ({ tenantId, callId: 'call', wrappedDataKey: await keyOf(tenantId) });
  const sealed = await Promise.all(ids.map(async (tenantId) => before.sealNumber('+12025550199', await owner(tenantId))));
  const inTransit = before.sealInTransit('+12025550199', 'call');

  const both = new NumberVault({ encryption: fresh, encryptionPrevious: old, numberHash });
  expect(both.openInTransit(inTransit, 'call')).toBe('+12025550199');
  expect(both.openNumber(sealed[0] ?? Buffer.alloc(0), await owner(ids[0] ?? ''))).toBe('+12025550199');
  expect(await rewrapTenantKeys({ db: world.db, vault: both })).toBe(2);
  expect(await rewrapTenantKeys({ db: world.db, vault: both })).toBe(0);

  const after = new NumberVault({ encryption: fresh, numberHash });
  for (const [index, tenantId] of ids.entries())
    expect(after.openNumber(sealed[index] ?? Buffer.alloc(0), await owner(tenantId))).toBe('+12025550199');
});
