/** A business to try Holdfast with. Running it again changes nothing. */
import { AIProfile } from '../db/entities/ai-profile.ts';
import { PhoneNumber } from '../db/entities/phone-number.ts';
import { Tenant } from '../db/entities/tenant.ts';
import type { Database } from '../db/tenant-scope.ts';
import { defaultOpeningHours } from '../domain/opening-hours.ts';
import { HoldfastError } from '../domain/errors.ts';
import { toE164 } from '../lib/phone-numbers.ts';
import { uuidV5 } from '../lib/uuid.ts';
import type { NumberVault } from './number-vault.ts';

export interface SeedDeps {
  readonly db: Database;
  readonly vault: NumberVault;
}

export interface Demo {
  readonly tenantId: string;
  /** E.164. */
  readonly did: string;
}

/** One demo tenant per number: its id is derived from it. */
const DEMO_NAMESPACE = '5a0d6f1e-7c1b-4a51-9b0e-2f4c8d1f6a37';

/** Room for trying out what many callers at once are like. */
const DEMO_CALLS = 100;

const SYSTEM_PROMPT = `You are the receptionist of Bright Smile Dental, a friendly family dental practice.
Help callers with the opening hours and with booking appointments for check-ups, cleanings and other treatments.
Be warm, brief and clear. If you cannot help, say so and offer to take an appointment.`;

/** @throws HoldfastError conflict when the number belongs to another tenant already. */
export async function seedDemo(deps: SeedDeps, options: { readonly did?: string } = {}): Promise<Demo> {
  const did = toE164(options.did ?? '+12025550143');
  if (did === null) throw new HoldfastError('invalid_request', 'The demo number must be E.164');
  const tenantId = uuidV5(did, DEMO_NAMESPACE);
  const owner = await deps.db.resolveDid([{ e164: did, country: null }]);
  if (owner !== null && owner.tenantId !== tenantId) throw new HoldfastError('conflict', 'The demo number belongs to another tenant');
  await deps.db.asPlatform(async (em) => {
    if ((await em.count(Tenant, { id: tenantId })) > 0) return;
    em.create(Tenant, {
      id: tenantId,
      name: 'Bright Smile Dental',
      country: 'US',
      timezone: 'America/New_York',
      openingHours: { ...defaultOpeningHours, saturday: [{ open: '10:00', close: '14:00' }] },
      maxConcurrentCalls: DEMO_CALLS,
      wrappedDataKey: deps.vault.newWrappedKey(tenantId),
    });
  });
  await deps.db.inTenant(tenantId, async (em) => {
    if ((await em.count(PhoneNumber, { didNumber: did })) > 0) return;
    const profile = em.create(AIProfile, {
      tenantId,
      name: 'Receptionist',
      role: 'receptionist',
      systemPrompt: SYSTEM_PROMPT,
      isDefault: true,
    });
    await em.flush();
    em.create(PhoneNumber, { tenantId, didNumber: did, aiProfileId: profile.id });
  });
  return { tenantId, did };
}
