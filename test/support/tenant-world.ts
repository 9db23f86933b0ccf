/** Tenants with a row in every table, on a migrated database of its own. */
import { randomBytes, randomUUID } from 'node:crypto';
import { AIProfile } from '../../src/db/entities/ai-profile.ts';
import { Booking } from '../../src/db/entities/booking.ts';
import { CallTurn } from '../../src/db/entities/call-turn.ts';
import { Call } from '../../src/db/entities/call.ts';
import { PhoneNumber } from '../../src/db/entities/phone-number.ts';
import { Tenant } from '../../src/db/entities/tenant.ts';
import { ToolRun } from '../../src/db/entities/tool-run.ts';
import { Database } from '../../src/db/tenant-scope.ts';
import type { TenantPlan, TenantStatus } from '../../src/domain/call.ts';
import { defaultOpeningHours } from '../../src/domain/opening-hours.ts';
import { NumberVault } from '../../src/services/number-vault.ts';
import { migratedDatabase } from './database.ts';
import type { TestDatabase } from './stack.ts';

export interface TenantWorld extends AsyncDisposable {
  readonly db: Database;
  readonly vault: NumberVault;
  readonly database: TestDatabase;
}

export async function tenantWorld(): Promise<TenantWorld> {
  const database = await migratedDatabase();
  const db = await Database.open({ url: database.appUrl });
  return {
    db,
    vault: new NumberVault({ encryption: randomBytes(32), numberHash: randomBytes(32) }),
    database,
    async [Symbol.asyncDispose]() {
      await db[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

export interface TenantIds {
  readonly tenantId: string;
  readonly aiProfileId: string;
  readonly phoneNumberId: string;
  readonly did: string;
}

export interface TenantChoices {
  readonly name?: string;
  readonly status?: TenantStatus;
  readonly country?: string;
  readonly timezone?: string;
  readonly did?: string;
  readonly didActive?: boolean;
  readonly withProfile?: boolean;
  readonly maxConcurrentCalls?: number;
  readonly plan?: TenantPlan;
}

let numbers = 0;

/** A tenant in US/New York with a number and, unless told otherwise, a default profile. */
export async function addTenant({ db, vault }: TenantWorld, choices: TenantChoices = {}): Promise<TenantIds> {
  const tenantId = randomUUID();
  const did = choices.did ?? `+1202555${String(1_000 + numbers++)}`;
  await db.asPlatform(async (em) => {
    em.create(Tenant, {
      id: tenantId,
      name: choices.name ?? 'Bright Smile Dental',
      status: choices.status ?? 'active',
      plan: choices.plan ?? 'starter',
      maxConcurrentCalls: choices.maxConcurrentCalls ?? null,
      country: choices.country ?? 'US',
      timezone: choices.timezone ?? 'America/New_York',
      openingHours: defaultOpeningHours,
      wrappedDataKey: vault.newWrappedKey(tenantId),
    });
  });
  return db.inTenant(tenantId, async (em) => {
    const profile = em.create(AIProfile, {
      tenantId,
      name: 'Receptionist',
      systemPrompt: 'You are kind.',
      isDefault: choices.withProfile !== false,
    });
    const number = em.create(PhoneNumber, { tenantId, didNumber: did, isActive: choices.didActive ?? true });
    await em.flush();
    return { tenantId, did, aiProfileId: profile.id, phoneNumberId: number.id };
  });
}

/** A running call of the tenant. */
export async function addCall({ db }: TenantWorld, tenantId: string, startedAt = new Date('2026-11-20T15:00:00Z')): Promise<string> {
  return db.inTenant(tenantId, async (em) => {
    const call = em.create(Call, { tenantId, externalCallId: 'pbx-1.1', startedAt });
    await em.flush();
    return call.id;
  });
}

/** One row in each table below a call. */
export async function addCallRows({ db }: TenantWorld, tenantId: string, callId: string): Promise<void> {
  const at = new Date('2026-11-20T15:00:00Z');
  await db.inTenant(tenantId, async (em) => {
    em.create(CallTurn, {
      tenantId,
      callId,
      sequence: 0,
      speaker: 'agent',
      text: 'Hello',
      heardText: 'Hello',
      startedAt: at,
      endedAt: at,
      latencies: {},
    });
    em.create(ToolRun, { tenantId, callId, key: '1:0', name: 'end_call' });
    em.create(Booking, { tenantId, sourceCallId: callId, startsAt: at, endsAt: new Date(at.getTime() + 1_800_000) });
  });
}
