import type { AIProfileView, CreateAIProfile, PatchAIProfile } from '../contracts/rest-ai-profiles.ts';
import type { Page, PageQuery } from '../contracts/rest.ts';
import { violatedConstraint } from '../db/database-errors.ts';
import { AIProfile } from '../db/entities/ai-profile.ts';
import type { Database, ScopedEntityManager } from '../db/tenant-scope.ts';
import { HoldfastError } from '../domain/errors.ts';
import { readPage } from './keyset.ts';
import { requireTenant, withoutUndefined } from './tenants.ts';

export interface AIProfileRef {
  readonly tenantId: string;
  readonly aiProfileId: string;
}

/** Every method throws HoldfastError not_found for an unknown tenant or profile. */
export class AIProfiles {
  readonly #db: Database;

  constructor(deps: { db: Database }) {
    this.#db = deps.db;
  }

  async create(tenantId: string, input: CreateAIProfile): Promise<AIProfileView> {
    const { system_prompt, is_default, ...rest } = input;
    return this.#write(tenantId, async (em) => {
      if (is_default) await takeDefault(em);
      const profile = em.create(AIProfile, { ...rest, tenantId, systemPrompt: system_prompt, isDefault: is_default });
      await em.flush();
      return aiProfileView(profile);
    });
  }

  async list(tenantId: string, query: PageQuery): Promise<Page<AIProfileView>> {
    return this.#db.inTenant(tenantId, async (em) => {
      await requireTenant(em, tenantId);
      const find = ({ where, ...options }: { where: object; orderBy: object; limit: number }) => em.find(AIProfile, where, options);
      return readPage({ query, key: 'createdAt', direction: 'asc', find }, aiProfileView);
    });
  }

  async get(ref: AIProfileRef): Promise<AIProfileView> {
    return this.#db.inTenant(ref.tenantId, async (em) => aiProfileView(await findProfile(em, ref.aiProfileId)));
  }

  async patch(ref: AIProfileRef, changes: PatchAIProfile): Promise<AIProfileView> {
    const { system_prompt, is_default, ...rest } = changes;
    return this.#write(ref.tenantId, async (em) => {
      const profile = await findProfile(em, ref.aiProfileId);
      if (is_default === true && !profile.isDefault) await takeDefault(em);
      em.assign(profile, withoutUndefined({ ...rest, systemPrompt: system_prompt, isDefault: is_default }));
      await em.flush();
      return aiProfileView(profile);
    });
  }

  async #write<T>(tenantId: string, work: (em: ScopedEntityManager) => Promise<T>): Promise<T> {
    try {
      return await this.#db.inTenant(tenantId, async (em) => {
        await requireTenant(em, tenantId);
        return work(em);
      });
    } catch (error) {
      if (violatedConstraint(error) !== 'ai_profiles_one_default_per_tenant') throw error;
      throw new HoldfastError('conflict', 'Another request made another profile the default at the same moment', { cause: error });
    }
  }
}

/** In the same transaction, so that numbers are never without a default in between. */
async function takeDefault(em: ScopedEntityManager): Promise<void> {
  await em.nativeUpdate(AIProfile, { isDefault: true }, { isDefault: false, updatedAt: new Date() });
}

async function findProfile(em: ScopedEntityManager, id: string): Promise<AIProfile> {
  const profile = await em.findOne(AIProfile, { id });
  if (profile === null) throw new HoldfastError('not_found', 'No such AI profile');
  return profile;
}

function aiProfileView(profile: AIProfile): AIProfileView {
  return {
    id: profile.id,
    tenant_id: profile.tenantId,
    name: profile.name,
    role: profile.role,
    system_prompt: profile.systemPrompt,
    greeting: profile.greeting ?? null,
    language: profile.language,
    voice: profile.voice ?? null,
    is_default: profile.isDefault,
    created_at: profile.createdAt.toISOString(),
    updated_at: profile.updatedAt.toISOString(),
  };
}
