import { z } from 'zod';
import { profileRoles } from '../domain/call.ts';
import { atLeastOneField, nonBlank, pageOf, rowFields } from './rest.ts';

const fields = {
  name: nonBlank(200),
  role: z.enum(profileRoles),
  system_prompt: nonBlank(16_000),
  greeting: nonBlank(500).nullable().meta({ description: 'Spoken first; null: the greeting of the role' }),
  language: z
    .string()
    .max(35)
    .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/, 'must be a BCP 47 language tag')
    .meta({ example: 'en-US' }),
  voice: nonBlank(100).nullable().meta({ description: 'null: the platform’s voice' }),
  is_default: z.boolean().meta({ description: 'Answers numbers that name no profile. Setting it takes it from the profile that had it.' }),
};

export const aiProfile = z
  .object({ ...rowFields, tenant_id: z.uuid(), ...fields })
  .meta({ id: 'AIProfile', description: 'How an agent speaks and behaves' });
export type AIProfileView = z.infer<typeof aiProfile>;

export const createAIProfile = z
  .strictObject({
    ...fields,
    role: fields.role.default('receptionist'),
    greeting: fields.greeting.default(null),
    language: fields.language.default('en-US'),
    voice: fields.voice.default(null),
    is_default: fields.is_default.default(false),
  })
  .meta({ id: 'CreateAIProfile' });
export type CreateAIProfile = z.output<typeof createAIProfile>;

export const patchAIProfile = z
  .strictObject(fields)
  .partial()
  .refine(...atLeastOneField)
  .meta({ id: 'PatchAIProfile' });
export type PatchAIProfile = z.output<typeof patchAIProfile>;

export const aiProfilePage = pageOf(aiProfile).meta({ id: 'AIProfilePage' });
