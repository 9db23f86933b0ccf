import { aiProfileParams, pageQuery, tenantParams } from '../../contracts/rest.ts';
import { aiProfile, aiProfilePage, createAIProfile, patchAIProfile } from '../../contracts/rest-ai-profiles.ts';
import type { AIProfiles } from '../../services/ai-profiles.ts';
import { route, type Route } from '../route.ts';

const LIST = '/api/tenants/{tenantId}/ai-profiles';

export function aiProfileRoutes(aiProfiles: AIProfiles): Route[] {
  const shared = { tag: 'AI profiles' };
  const one = { ...shared, path: `${LIST}/{aiProfileId}`, params: aiProfileParams };
  return [
    route({
      ...shared,
      method: 'post',
      path: LIST,
      summary: 'Create an AI profile',
      params: tenantParams,
      body: createAIProfile,
      success: { status: 201, schema: aiProfile, description: 'The profile' },
      problems: [404, 409],
      handle: async ({ params, body }) => {
        const made = await aiProfiles.create(params.tenantId, body);
        return { body: made, location: `/api/tenants/${params.tenantId}/ai-profiles/${made.id}` };
      },
    }),
    route({
      ...shared,
      method: 'get',
      path: LIST,
      summary: 'List the AI profiles of a tenant, oldest first',
      params: tenantParams,
      query: pageQuery,
      success: { status: 200, schema: aiProfilePage, description: 'A page of profiles' },
      problems: [404],
      handle: async ({ params, query }) => ({ body: await aiProfiles.list(params.tenantId, query) }),
    }),
    route({
      ...one,
      method: 'get',
      summary: 'Read an AI profile',
      success: { status: 200, schema: aiProfile, description: 'The profile' },
      problems: [404],
      handle: async ({ params }) => ({ body: await aiProfiles.get(params) }),
    }),
    route({
      ...one,
      method: 'patch',
      summary: 'Change an AI profile',
      body: patchAIProfile,
      success: { status: 200, schema: aiProfile, description: 'The profile as it is now' },
      problems: [404, 409],
      handle: async ({ params, body }) => ({ body: await aiProfiles.patch(params, body) }),
    }),
  ];
}
