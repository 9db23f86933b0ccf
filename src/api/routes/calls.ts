import { callParams, pageQuery, tenantParams } from '../../contracts/rest.ts';
import {
  bookingPage,
  callDetail,
  callPage,
  callsQuery,
  hangupAccepted,
  hangupBody,
  sayBody,
  steerAccepted,
  transferBody,
} from '../../contracts/rest-calls.ts';
import { HoldfastError } from '../../domain/errors.ts';
import type { SteerCommand } from '../../domain/steering.ts';
import type { CallGateway } from '../../services/call-gateway.ts';
import type { CallLog } from '../../services/call-log.ts';
import { route, type Route } from '../route.ts';

interface CallParams {
  readonly tenantId: string;
  readonly callId: string;
}

export function callRoutes(callLog: CallLog, gateway: CallGateway): Route[] {
  // In the tenant's scope first: an id alone must not reach another tenant's call.
  const requireRunning = async (params: CallParams): Promise<void> => {
    const call = await callLog.get(params);
    if (call.disposition !== null) throw new HoldfastError('conflict', 'The call has ended already');
  };
  const steer = async (params: CallParams, command: SteerCommand): Promise<{ body: { status: 'accepted' } }> => {
    await requireRunning(params);
    await gateway.steer(params, command);
    return { body: { status: 'accepted' } };
  };
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
        await requireRunning(params);
        await gateway.hangup(params.callId, body.reason);
        return { body: { status: 'accepted' } };
      },
    }),
    route({
      ...shared,
      method: 'post',
      path: '/api/tenants/{tenantId}/calls/{callId}/say',
      summary: 'Have the agent say a sentence, as soon as nobody speaks',
      params: callParams,
      body: sayBody,
      success: { status: 202, schema: steerAccepted, description: 'The agent says it at the next moment it may speak' },
      problems: [404, 409, 503],
      handle: async ({ params, body }) => steer(params, { kind: 'say', text: body.text }),
    }),
    route({
      ...shared,
      method: 'post',
      path: '/api/tenants/{tenantId}/calls/{callId}/transfer',
      summary: 'Send the caller to a SIP address; they come back when nobody answers there',
      params: callParams,
      body: transferBody,
      success: { status: 202, schema: steerAccepted, description: 'The caller leaves after a short announcement' },
      problems: [403, 404, 409, 503],
      handle: async ({ params, body }) => steer(params, { kind: 'transfer', to: body.to }),
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
