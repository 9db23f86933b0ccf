import { Tenant } from '../db/entities/tenant.ts';
import type { Database } from '../db/tenant-scope.ts';
import type { NumberVault } from './number-vault.ts';

/** Tenants looked at in one transaction. */
const BATCH = 200;

/**
 * After a rotation of DATA_ENCRYPTION_KEY: wraps the tenants' data keys under the new one. Repeating
 * it, and two processes doing it at once, is harmless.
 * @returns how many were wrapped anew.
 */
export async function rewrapTenantKeys({ db, vault }: { db: Database; vault: NumberVault }): Promise<number> {
  let rewrapped = 0;
  for (let after: string | null = null; ;) {
    const last: string | undefined = await db.asPlatform(async (em) => {
      const where = after === null ? {} : { id: { $gt: after } };
      const tenants = await em.find(Tenant, where, { populate: ['wrappedDataKey'], orderBy: { id: 'asc' }, limit: BATCH });
      for (const tenant of tenants) {
        const wrapped = vault.rewrapped(tenant.id, tenant.wrappedDataKey);
        if (wrapped === null) continue;
        tenant.wrappedDataKey = wrapped;
        rewrapped += 1;
      }
      return tenants.at(-1)?.id;
    });
    if (last === undefined) return rewrapped;
    after = last;
  }
}
