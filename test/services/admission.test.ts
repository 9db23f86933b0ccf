import { randomUUID } from 'node:crypto';
import type { AdmitRequest } from '../../src/contracts/call-workflow.ts';
import { callPlan } from '../../src/contracts/call-plan.ts';
import type { MediaNode } from '../../src/contracts/media-node.ts';
import { AIProfile } from '../../src/db/entities/ai-profile.ts';
import { Call } from '../../src/db/entities/call.ts';
import { PhoneNumber } from '../../src/db/entities/phone-number.ts';
import { admitCall, type AdmissionDeps } from '../../src/services/admission.ts';
import { CallLog } from '../../src/services/call-log.ts';
import { NodeChooser } from '../../src/services/media-nodes.ts';
import { runSql } from '../support/database.ts';
import { addTenant, tenantWorld, type TenantIds, type TenantWorld } from '../support/tenant-world.ts';
import { mediaNodeOf } from '../support/media-node.ts';

let world: TenantWorld;
beforeAll(async () => {
  world = await tenantWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

function deps(nodes: readonly MediaNode[] = [mediaNodeOf('media-1')]): AdmissionDeps {
  return {
    db: world.db,
    vault: world.vault,
    mediaNodes: { live: async () => nodes },
    nodeChooser: new NodeChooser(),
    plan: {
      conversation: { maxTurns: 20, maxDurationSeconds: 300, silenceReminderMs: 8_000, maxReminders: 2 },
      models: { stt: 'whisper-1', llm: 'gpt-4', tts: 'tts-1', voice: 'alloy' },
    },
    maxConcurrentCalls: 500,
    now: () => new Date('2026-11-20T15:00:01Z'),
  };
}

/** Friday, ten in the morning in New York. */
function request(calledNumber: string, callerNumber = '+1 202 555 0199'): AdmitRequest {
  const callRecordId = randomUUID();
  const sealedCallerNumber = world.vault.sealInTransit(callerNumber, callRecordId);
  return { callRecordId, channelId: '1700000000.1', calledNumber, sealedCallerNumber, arrivedAt: '2026-11-20T15:00:00.000Z' };
}

const stored = (tenantId: string, id: string): Promise<Call | null> => world.db.inTenant(tenantId, (em) => em.findOne(Call, { id }));

describe('an admitted call', () => {
  let tenant: TenantIds;
  beforeAll(async () => {
    tenant = await addTenant(world);
  });

  test('gets a plan that a media node accepts, and a record', async () => {
    const asked = request(tenant.did);
    const { response, plan, node: chosen } = await admitCall(deps(), asked);
    expect(response).toMatchObject({
      status: 'accepted',
      call_record_id: asked.callRecordId,
      tenant_id: tenant.tenantId,
      media_app: 'holdfast-media-1',
    });
    expect(chosen?.id).toBe('media-1');
    expect(callPlan.parse(plan)).toMatchObject({
      callId: asked.callRecordId,
      tenantId: tenant.tenantId,
      channelId: asked.channelId,
      agent: {
        role: 'receptionist',
        greeting: 'Thank you for calling Bright Smile Dental. How can I help you today?',
        language: 'en-US',
        voice: 'alloy',
      },
      models: { stt: 'whisper-1', llm: 'gpt-4', tts: 'tts-1' },
      limits: { maxTurns: 20, maxDurationSeconds: 300, silenceReminderMs: 8_000, maxReminders: 2 },
      transcript: [],
    });
    expect(plan?.tools.map(({ name }) => name)).toEqual(['get_opening_hours', 'check_availability', 'book_appointment', 'end_call']);
    expect(await stored(tenant.tenantId, asked.callRecordId)).toMatchObject({
      status: 'initiated',
      disposition: null,
      direction: 'inbound',
      mediaNode: 'media-1',
      phoneNumberId: tenant.phoneNumberId,
      aiProfileId: tenant.aiProfileId,
      startedAt: new Date('2026-11-20T15:00:00Z'),
    });
  });

  test('tells the agent where and when it is', async () => {
    const { plan } = await admitCall(deps(), request(tenant.did));
    const lines = plan?.agent.systemPrompt.split('\n') ?? [];
    expect(lines[0]).toBe('You are kind.');
    expect(lines).toEqual(
      expect.arrayContaining([
        'Business name: Bright Smile Dental',
        'Today: 2026-11-20 (Friday)',
        'Tomorrow: 2026-11-21 (Saturday)',
        'Local time: 10:00',
        'Time zone: America/New_York',
        'Opening hours: Monday to Friday from 9 AM to 5 PM; closed on Saturday to Sunday',
      ]),
    );
  });

  test('is answered the same when the request comes again, also at the same moment', async () => {
    const asked = request(tenant.did);
    const shared = deps([mediaNodeOf('media-1'), mediaNodeOf('media-2')]);
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => admitCall(shared, asked)));
    for (const other of others) expect(other).toEqual(first);
    expect(await admitCall(shared, asked)).toEqual(first);
    const rows = await world.db.inTenant(tenant.tenantId, (em) => em.count(Call, { id: asked.callRecordId }));
    expect(rows).toBe(1);
  });

  test('goes to another node when the one first chosen is gone', async () => {
    const asked = request(tenant.did);
    await admitCall(deps([mediaNodeOf('media-1')]), asked);
    const again = await admitCall(deps([mediaNodeOf('media-2')]), asked);
    expect(again).toMatchObject({ response: { status: 'accepted', media_app: 'holdfast-media-2' }, node: { id: 'media-2' } });
    expect((await stored(tenant.tenantId, asked.callRecordId))?.mediaNode).toBe('media-2');
  });

  test('uses the profile of its number before the default one', async () => {
    const { tenantId } = tenant;
    const did = '+12025550177';
    await world.db.inTenant(tenantId, async (em) => {
      const profile = em.create(AIProfile, {
        tenantId,
        name: 'Sales',
        role: 'sales',
        systemPrompt: 'Sell.',
        greeting: 'Hello, sales.',
        voice: 'nova',
        language: 'en-GB',
      });
      await em.flush();
      em.create(PhoneNumber, { tenantId, didNumber: did, aiProfileId: profile.id });
    });
    const { plan } = await admitCall(deps(), request(did));
    expect(plan?.agent).toMatchObject({ role: 'sales', greeting: 'Hello, sales.', voice: 'nova', language: 'en-GB' });
  });
});

describe('the caller’s number', () => {
  test('is on record as a hash and a sealed box, and readable nowhere', async () => {
    const tenant = await addTenant(world);
    const asked = request(tenant.did, '(202) 555-0199');
    await admitCall(deps(), asked);
    const call = await stored(tenant.tenantId, asked.callRecordId);
    expect(call?.callerNumberHash).toBe(world.vault.hash(tenant.tenantId, '+12025550199'));
    const [row] = await runSql<{ row: string; sealed: Buffer }>(world.database.appUrl, `set app.tenant_id = '${tenant.tenantId}'`, {
      sql: 'select to_jsonb(c)::text as row, caller_number_sealed as sealed from calls c where id = $1',
      values: [asked.callRecordId],
    });
    expect(`${row?.row} ${row?.sealed.toString('latin1')}`).not.toContain('5550199');
    const log = new CallLog(world);
    expect((await log.get({ tenantId: tenant.tenantId, callId: asked.callRecordId })).caller_number).toBe('•••••••0199');
    const byNumber = await log.list(tenant.tenantId, { limit: 10, caller_number: '+12025550199' });
    expect(byNumber.items.map(({ id }) => id)).toEqual([asked.callRecordId]);
    expect((await log.list(tenant.tenantId, { limit: 10, caller_number: '+12025550198' })).items).toEqual([]);
  });

  test('may be withheld', async () => {
    const tenant = await addTenant(world);
    for (const withheld of ['', 'anonymous', 'Restricted']) {
      const asked = request(tenant.did, withheld);
      expect(asked.sealedCallerNumber).toBeNull();
      expect((await admitCall(deps(), asked)).response.status).toBe('accepted');
      expect(await stored(tenant.tenantId, asked.callRecordId)).toMatchObject({ callerNumberHash: null, callerNumberSealed: null });
    }
  });

  test('cannot be moved to another call', async () => {
    const tenant = await addTenant(world);
    const moved = { ...request(tenant.did), sealedCallerNumber: request(tenant.did).sealedCallerNumber };
    await expect(admitCall(deps(), moved)).rejects.toThrow();
  });
});

describe('the dialled number', () => {
  let american: TenantIds;
  let british: TenantIds;
  beforeAll(async () => {
    american = await addTenant(world, { did: '+12025550188' });
    british = await addTenant(world, { did: '+442079460018', country: 'GB', timezone: 'Europe/London' });
  });

  test.each(['+12025550188', '12025550188', '0012025550188', '2025550188', '(202) 555-0188', '+1 202-555-0188'])(
    '"%s" reaches the American tenant',
    async (dialled) => {
      expect((await admitCall(deps(), request(dialled))).response.tenant_id).toBe(american.tenantId);
    },
  );

  test.each(['+442079460018', '442079460018', '00442079460018', '02079460018', '020 7946 0018'])(
    '"%s" reaches the British tenant',
    async (dialled) => {
      expect((await admitCall(deps(), request(dialled))).response.tenant_id).toBe(british.tenantId);
    },
  );

  test('is unknown once it is the national form of two tenants’ numbers: a call is never put through to a guess', async () => {
    const german = await addTenant(world, { did: '+49301234567', country: 'DE' });
    expect((await admitCall(deps(), request('0301234567'))).response.tenant_id).toBe(german.tenantId);
    const austrian = await addTenant(world, { did: '+43301234567', country: 'AT' });
    expect((await admitCall(deps(), request('0301234567'))).response.status).toBe('unknown_did');
    expect((await admitCall(deps(), request('43301234567'))).response.tenant_id).toBe(austrian.tenantId);
  });

  test('is read as a national form in the country of its tenant only', async () => {
    await addTenant(world, { did: '+498912345678', country: 'GB' });
    expect((await admitCall(deps(), request('08912345678'))).response.status).toBe('unknown_did');
  });
});

describe('refusals are data', () => {
  const refused = (status: string) => ({ response: { status, media_app: null }, plan: null, node: null });

  test.each(['+12025559999', '999', 'sip:alice', '', '+1', '٠١٢'])('unknown_did for "%s": no tenant, no record', async (dialled) => {
    expect(await admitCall(deps(), request(dialled))).toMatchObject({
      ...refused('unknown_did'),
      response: { call_record_id: null, tenant_id: null },
    });
  });

  test.each([
    ['inactive_did', { didActive: false }, undefined],
    ['tenant_suspended', { status: 'suspended' as const }, undefined],
    ['tenant_suspended', { status: 'suspended' as const, didActive: false }, undefined],
    ['no_profile', { withProfile: false }, undefined],
    ['no_capacity', {}, []],
    ['no_capacity', {}, [mediaNodeOf('media-1', { draining: true }), mediaNodeOf('media-2', { live: 10 })]],
  ])('%s is on record as rejected, and stays so when asked again', async (status, choices, nodes) => {
    const tenant = await addTenant(world, choices);
    const asked = request(tenant.did);
    const admission = await admitCall(deps(nodes), asked);
    expect(admission).toMatchObject(refused(status));
    expect(admission.response).toMatchObject({ call_record_id: asked.callRecordId, tenant_id: tenant.tenantId });
    expect(await stored(tenant.tenantId, asked.callRecordId)).toMatchObject({
      status: 'rejected',
      disposition: 'rejected',
      reason: status,
      mediaNode: null,
    });
    // What was wrong is mended in between: the call was refused all the same.
    expect(await admitCall(deps(), asked)).toEqual(admission);
  });

  test('a deleted tenant is as good as unknown', async () => {
    const tenant = await addTenant(world, { status: 'deleted' });
    const asked = request(tenant.did);
    expect(await admitCall(deps(), asked)).toMatchObject(refused('unknown_did'));
    expect(await stored(tenant.tenantId, asked.callRecordId)).toBeNull();
  });

  test('an admitted call that no node can take any more ends as rejected', async () => {
    const tenant = await addTenant(world);
    const asked = request(tenant.did);
    await admitCall(deps(), asked);
    expect(await admitCall(deps([]), asked)).toMatchObject(refused('no_capacity'));
    expect(await stored(tenant.tenantId, asked.callRecordId)).toMatchObject({
      status: 'rejected',
      disposition: 'rejected',
      reason: 'no_capacity',
    });
  });
});
