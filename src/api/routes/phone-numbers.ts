import { pageQuery, phoneNumberParams, tenantParams } from '../../contracts/rest.ts';
import { createPhoneNumber, patchPhoneNumber, phoneNumber, phoneNumberPage } from '../../contracts/rest-phone-numbers.ts';
import type { PhoneNumbers } from '../../services/phone-numbers.ts';
import { route, type Route } from '../route.ts';

const LIST = '/api/tenants/{tenantId}/phone-numbers';

export function phoneNumberRoutes(phoneNumbers: PhoneNumbers): Route[] {
  const shared = { tag: 'Phone numbers' };
  const one = { ...shared, path: `${LIST}/{phoneNumberId}`, params: phoneNumberParams, problems: [404] as const };
  return [
    route({
      ...shared,
      method: 'post',
      path: LIST,
      summary: 'Give a tenant a phone number',
      params: tenantParams,
      body: createPhoneNumber,
      success: { status: 201, schema: phoneNumber, description: 'The phone number, in E.164' },
      problems: [404, 409],
      handle: async ({ params, body }) => {
        const made = await phoneNumbers.create(params.tenantId, body);
        return { body: made, location: `/api/tenants/${params.tenantId}/phone-numbers/${made.id}` };
      },
    }),
    route({
      ...shared,
      method: 'get',
      path: LIST,
      summary: 'List the phone numbers of a tenant, oldest first',
      params: tenantParams,
      query: pageQuery,
      success: { status: 200, schema: phoneNumberPage, description: 'A page of phone numbers' },
      problems: [404],
      handle: async ({ params, query }) => ({ body: await phoneNumbers.list(params.tenantId, query) }),
    }),
    route({
      ...one,
      method: 'get',
      summary: 'Read a phone number',
      success: { status: 200, schema: phoneNumber, description: 'The phone number' },
      handle: async ({ params }) => ({ body: await phoneNumbers.get(params) }),
    }),
    route({
      ...one,
      method: 'patch',
      summary: 'Change a phone number',
      body: patchPhoneNumber,
      success: { status: 200, schema: phoneNumber, description: 'The phone number as it is now' },
      handle: async ({ params, body }) => ({ body: await phoneNumbers.patch(params, body) }),
    }),
  ];
}
