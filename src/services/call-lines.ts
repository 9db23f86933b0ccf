/** May this tenant have one more call? The counts are PostgreSQL's, taken under a lock that lasts until the call is on record. */
import type { MediaNode } from '../contracts/media-node.ts';
import type { Tenant } from '../db/entities/tenant.ts';
import type { ScopedEntityManager } from '../db/tenant-scope.ts';
import type { TenantPlan } from '../domain/call.ts';
import { lineRefusal, linesOfPlan, type CallLoad, type LineRefusal } from '../domain/call-lines.ts';

export interface LineRequest {
  /** In the transaction that writes the call's row. */
  readonly em: ScopedEntityManager;
  readonly tenant: Tenant;
  readonly nodes: readonly MediaNode[];
  readonly maxConcurrentCalls: number;
}

/** Null: the line is this call's, if its row is written in the same transaction. */
export async function requestLine({ em, tenant, nodes, maxConcurrentCalls }: LineRequest): Promise<LineRefusal | null> {
  return lineRefusal(await callLoad(em, tenant.id), {
    tenant: tenant.maxConcurrentCalls ?? linesOfPlan[tenant.plan as TenantPlan],
    platform: maxConcurrentCalls,
    mediaCapacity: nodes.filter((node) => !node.draining).reduce((sum, node) => sum + node.capacity, 0),
  });
}

async function callLoad(em: ScopedEntityManager, tenantId: string): Promise<CallLoad> {
  const [row] = await em.execute<{ open_calls: number; open_of_tenant: number; busy_tenants: number; callable_tenants: number }[]>(
    'select * from call_load(?)',
    [tenantId],
  );
  if (row === undefined) throw new Error('call_load answers one row');
  return {
    open: row.open_calls,
    openOfTenant: row.open_of_tenant,
    busyTenants: row.busy_tenants,
    callableTenants: row.callable_tenants,
  };
}
