import { z } from 'zod';
import { atLeastOneField, pageOf, rowFields } from './rest.ts';

export const providerTypes = ['generic'] as const;

const aiProfileId = z.uuid().nullable().meta({ description: 'Who answers; null: the default profile of the tenant' });

export const phoneNumber = z
  .object({
    ...rowFields,
    tenant_id: z.uuid(),
    did_number: z.string().meta({ description: 'E.164', example: '+12025550143' }),
    provider_type: z.string(),
    is_active: z.boolean(),
    ai_profile_id: aiProfileId,
  })
  .meta({ id: 'PhoneNumber', description: 'A number that callers dial; unique on the platform' });
export type PhoneNumberView = z.infer<typeof phoneNumber>;

export const createPhoneNumber = z
  .strictObject({
    did_number: z
      .string()
      .min(3)
      .max(40)
      .meta({ description: 'E.164, or the national form of the tenant’s country', example: '+12025550143' }),
    provider_type: z.enum(providerTypes).default('generic'),
    is_active: z.boolean().default(true),
    ai_profile_id: aiProfileId.default(null),
  })
  .meta({ id: 'CreatePhoneNumber' });
export type CreatePhoneNumber = z.output<typeof createPhoneNumber>;

export const patchPhoneNumber = z
  .strictObject({ provider_type: z.enum(providerTypes), is_active: z.boolean(), ai_profile_id: aiProfileId })
  .partial()
  .refine(...atLeastOneField)
  .meta({ id: 'PatchPhoneNumber' });
export type PatchPhoneNumber = z.output<typeof patchPhoneNumber>;

export const phoneNumberPage = pageOf(phoneNumber).meta({ id: 'PhoneNumberPage' });
