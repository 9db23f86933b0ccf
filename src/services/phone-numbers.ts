import type { CreatePhoneNumber, PatchPhoneNumber, PhoneNumberView } from '../contracts/rest-phone-numbers.ts';
import type { Page, PageQuery } from '../contracts/rest.ts';
import { violatedConstraint } from '../db/database-errors.ts';
import { AIProfile } from '../db/entities/ai-profile.ts';
import { PhoneNumber } from '../db/entities/phone-number.ts';
import type { Database, ScopedEntityManager } from '../db/tenant-scope.ts';
import { HoldfastError } from '../domain/errors.ts';
import { toE164 } from '../lib/phone-numbers.ts';
import { readPage } from './keyset.ts';
import { requireTenant, withoutUndefined } from './tenants.ts';

export interface PhoneNumberRef {
  readonly tenantId: string;
  readonly phoneNumberId: string;
}

/** Every method throws HoldfastError not_found for an unknown tenant or number. */
export class PhoneNumbers {
  readonly #db: Database;

  constructor(deps: { db: Database }) {
    this.#db = deps.db;
  }

  /** @throws HoldfastError conflict when the number is taken, by this or any other tenant. */
  async create(tenantId: string, input: CreatePhoneNumber): Promise<PhoneNumberView> {
    try {
      return await this.#db.inTenant(tenantId, async (em) => {
        const tenant = await requireTenant(em, tenantId);
        const didNumber = toE164(input.did_number, tenant.country);
        if (didNumber === null) throw invalidField('did_number', 'is not a phone number');
        await requireProfile(em, input.ai_profile_id);
        const { provider_type: providerType, is_active: isActive, ai_profile_id: aiProfileId } = input;
        const number = em.create(PhoneNumber, { tenantId, didNumber, providerType, isActive, aiProfileId });
        await em.flush();
        return phoneNumberView(number);
      });
    } catch (error) {
      if (violatedConstraint(error) !== 'phone_numbers_did_number_unique') throw error;
      throw new HoldfastError('conflict', 'This number is in use already', {
        cause: error,
        details: { errors: [{ path: 'did_number', message: 'is in use already' }] },
      });
    }
  }

  async list(tenantId: string, query: PageQuery): Promise<Page<PhoneNumberView>> {
    return this.#db.inTenant(tenantId, async (em) => {
      await requireTenant(em, tenantId);
      const find = ({ where, ...options }: { where: object; orderBy: object; limit: number }) => em.find(PhoneNumber, where, options);
      return readPage({ query, key: 'createdAt', direction: 'asc', find }, phoneNumberView);
    });
  }

  async get(ref: PhoneNumberRef): Promise<PhoneNumberView> {
    return this.#db.inTenant(ref.tenantId, async (em) => phoneNumberView(await findNumber(em, ref.phoneNumberId)));
  }

  async patch(ref: PhoneNumberRef, changes: PatchPhoneNumber): Promise<PhoneNumberView> {
    return this.#db.inTenant(ref.tenantId, async (em) => {
      const number = await findNumber(em, ref.phoneNumberId);
      await requireProfile(em, changes.ai_profile_id ?? null);
      const { provider_type: providerType, is_active: isActive, ai_profile_id: aiProfileId } = changes;
      em.assign(number, withoutUndefined({ providerType, isActive, aiProfileId }));
      await em.flush();
      return phoneNumberView(number);
    });
  }
}

async function requireProfile(em: ScopedEntityManager, id: string | null): Promise<void> {
  if (id !== null && (await em.count(AIProfile, { id })) === 0) throw invalidField('ai_profile_id', 'is not a profile of this tenant');
}

const invalidField = (path: string, message: string): HoldfastError =>
  new HoldfastError('invalid_request', `${path} ${message}`, { details: { errors: [{ path, message }] } });

async function findNumber(em: ScopedEntityManager, id: string): Promise<PhoneNumber> {
  const number = await em.findOne(PhoneNumber, { id });
  if (number === null) throw new HoldfastError('not_found', 'No such phone number');
  return number;
}

function phoneNumberView(number: PhoneNumber): PhoneNumberView {
  return {
    id: number.id,
    tenant_id: number.tenantId,
    did_number: number.didNumber,
    provider_type: number.providerType,
    is_active: number.isActive,
    ai_profile_id: number.aiProfileId ?? null,
    created_at: number.createdAt.toISOString(),
    updated_at: number.updatedAt.toISOString(),
  };
}
