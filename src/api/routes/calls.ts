import { callParams, pageQuery, tenantParams } from '../../contracts/rest.ts';
import { bookingPage, callDetail, callPage, callsQuery, hangupAccepted, hangupBody } from '../../contracts/rest-calls.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { CallGateway } from '../../services/call-gateway.ts';
import type { CallLog } from '../../services/call-log.ts';
import { route, type Route } from '../route.ts';

export function callRoutes(callLog: CallLog, gateway: CallGateway): Route[] {
  const shared = { tag: 'Calls', problems: [404] as const };
  return [
    route({
      ...shared,
      method: 'get',
      path: '/api/tenants/{tenantId}/calls',
      summary: 'List the calls of a tenant, newest first',
      params: tenantParams,
      query: callsQuery,
      success: { status: 200, schema: callPage, description: 'A page of calls' },
      handle: async ({ params, query }) => ({ body: await callLog.list(params.tenantId, query) }),
    }),
    route({
      ...shared,
      method: 'get',
      path: '/api/tenants/{tenantId}/calls/{callId}',
      summary: 'Read a call with its turns, tool runs and bookings',
      params: callParams,
      success: { status: 200, schema: callDetail, description: 'The call' },
      handle: async ({ params }) => ({ body: await callLog.get(params) }),
    }),
    route({
      ...shared,
      method: 'post',
      path: '/api/tenants/{tenantId}/calls/{callId}/hangup',
      summary: 'End a running call politely',
      params: callParams,
      body: hangupBody,
      bodyOptional: true,
      success: { status: 202, schema: hangupAccepted, description: 'The call ends within seconds' },
      problems: [404, 409, 503],
      handle: async ({ params, body }) => {
        // In the tenant's scope first: an id alone must not reach another tenant's call.
        const call = await callLog.get(params);
        if (call.disposition !== null) throw new HoldfastError('conflict', 'The call has ended already');
        await gateway.hangup(params.callId, body.reason);
        return { body: { status: 'accepted' } };
      },
    }),
    route({
      ...shared,
      tag: 'Bookings',
      method: 'get',
      path: '/api/tenants/{tenantId}/bookings',
      summary: 'List the bookings of a tenant, earliest appointment first',
      params: tenantParams,
      query: pageQuery,
      success: { status: 200, schema: bookingPage, description: 'A page of bookings' },
      handle: async ({ params, query }) => ({ body: await callLog.bookings(params.tenantId, query) }),
    }),
  ];
}
