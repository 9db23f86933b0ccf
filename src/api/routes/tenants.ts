import { pageQuery, tenantParams } from '../../contracts/rest.ts';
import { createTenant, patchTenant, tenant, tenantPage } from '../../contracts/rest-tenants.ts';
import type { Tenants } from '../../services/tenants.ts';
import { route, type Route } from '../route.ts';

export function tenantRoutes(tenants: Tenants): Route[] {
  const shared = { tag: 'Tenants' };
  return [
    route({
      ...shared,
      method: 'post',
      path: '/api/tenants',
      summary: 'Create a tenant',
      body: createTenant,
      success: { status: 201, schema: tenant, description: 'The tenant' },
      handle: async ({ body }) => {
        const made = await tenants.create(body);
        return { body: made, location: `/api/tenants/${made.id}` };
      },
    }),
    route({
      ...shared,
      method: 'get',
      path: '/api/tenants',
      summary: 'List tenants, oldest first',
      query: pageQuery,
      success: { status: 200, schema: tenantPage, description: 'A page of tenants' },
      handle: async ({ query }) => ({ body: await tenants.list(query) }),
    }),
    route({
      ...shared,
      method: 'get',
      path: '/api/tenants/{tenantId}',
      summary: 'Read a tenant',
      params: tenantParams,
      success: { status: 200, schema: tenant, description: 'The tenant' },
      problems: [404],
      handle: async ({ params }) => ({ body: await tenants.get(params.tenantId) }),
    }),
    route({
      ...shared,
      method: 'patch',
      path: '/api/tenants/{tenantId}',
      summary: 'Change a tenant',
      params: tenantParams,
      body: patchTenant,
      success: { status: 200, schema: tenant, description: 'The tenant as it is now' },
      problems: [404, 409],
      handle: async ({ params, body }) => ({ body: await tenants.patch(params.tenantId, body) }),
    }),
  ];
}
