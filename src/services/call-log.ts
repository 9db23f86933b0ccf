/** Calls and bookings as the API shows them. */
import type { BookingView, CallDetailView, CallsQuery, CallTurnView, CallView, ToolRunView } from '../contracts/rest-calls.ts';
import type { Page, PageQuery } from '../contracts/rest.ts';
import { Booking } from '../db/entities/booking.ts';
import { CallTurn } from '../db/entities/call-turn.ts';
import { Call } from '../db/entities/call.ts';
import type { Tenant } from '../db/entities/tenant.ts';
import { ToolRun } from '../db/entities/tool-run.ts';
import type { Database } from '../db/tenant-scope.ts';
import { HoldfastError } from '../domain/errors.ts';
import { maskNumber } from '../lib/phone-numbers.ts';
import type { CallRef } from './calls.ts';
import { readPage } from './keyset.ts';
import type { NumberVault } from './number-vault.ts';
import { requireTenant, withoutUndefined } from './tenants.ts';

/** A call has at most a few dozen; the bound only keeps a broken one from filling the memory. */
const ROWS_PER_CALL_MAX = 2_000;

/** Every method throws HoldfastError not_found for an unknown tenant or call. */
export class CallLog {
  readonly #db: Database;
  readonly #vault: NumberVault;

  constructor(deps: { db: Database; vault: NumberVault }) {
    this.#db = deps.db;
    this.#vault = deps.vault;
  }

  /** Newest first. */
  async list(tenantId: string, query: CallsQuery): Promise<Page<CallView>> {
    return this.#db.inTenant(tenantId, async (em) => {
      const tenant = await requireTenant(em, tenantId, { withKey: true });
      const { status, caller_number: number } = query;
      const filter = withoutUndefined({ status, callerNumberHash: number === undefined ? undefined : this.#vault.hash(tenantId, number) });
      const find = ({ where, ...options }: { where: object; orderBy: object; limit: number }) =>
        em.find(Call, { $and: [filter, where] }, options);
      return readPage({ query, key: 'startedAt', direction: 'desc', find }, (call) => this.#callView(call, tenant));
    });
  }

  async get({ tenantId, callId }: CallRef): Promise<CallDetailView> {
    return this.#db.inTenant(tenantId, async (em) => {
      const tenant = await requireTenant(em, tenantId, { withKey: true });
      const call = await em.findOne(Call, { id: callId });
      if (call === null) throw new HoldfastError('not_found', 'No such call');
      const turns = await em.find(CallTurn, { callId }, { orderBy: { sequence: 'asc' }, limit: ROWS_PER_CALL_MAX });
      const toolRuns = await em.find(ToolRun, { callId }, { orderBy: { createdAt: 'asc', id: 'asc' }, limit: ROWS_PER_CALL_MAX });
      const bookings = await em.find(
        Booking,
        { sourceCallId: callId },
        { orderBy: { createdAt: 'asc', id: 'asc' }, limit: ROWS_PER_CALL_MAX },
      );
      return {
        ...this.#callView(call, tenant),
        turns: turns.map(turnView),
        tool_runs: toolRuns.map(toolRunView),
        bookings: bookings.map(bookingView),
      };
    });
  }

  /** By the time of the appointment, earliest first. */
  async bookings(tenantId: string, query: PageQuery): Promise<Page<BookingView>> {
    return this.#db.inTenant(tenantId, async (em) => {
      await requireTenant(em, tenantId);
      const find = ({ where, ...options }: { where: object; orderBy: object; limit: number }) => em.find(Booking, where, options);
      return readPage({ query, key: 'startsAt', direction: 'asc', find }, bookingView);
    });
  }

  #callView(call: Call, tenant: Tenant): CallView {
    return {
      id: call.id,
      tenant_id: call.tenantId,
      direction: call.direction,
      status: call.status,
      disposition: call.disposition ?? null,
      reason: call.reason ?? null,
      caller_number: this.#maskedNumber(call, tenant),
      phone_number_id: call.phoneNumberId ?? null,
      ai_profile_id: call.aiProfileId ?? null,
      media_node: call.mediaNode ?? null,
      started_at: call.startedAt.toISOString(),
      answered_at: call.answeredAt?.toISOString() ?? null,
      ended_at: call.endedAt?.toISOString() ?? null,
      usage: call.usage ?? null,
      created_at: call.createdAt.toISOString(),
      updated_at: call.updatedAt.toISOString(),
    };
  }

  #maskedNumber(call: Call, tenant: Tenant): string | null {
    if (call.callerNumberSealed == null) return null;
    const owner = { tenantId: tenant.id, callId: call.id, wrappedDataKey: tenant.wrappedDataKey };
    try {
      return maskNumber(this.#vault.openNumber(call.callerNumberSealed, owner));
    } catch {
      // Sealed under a key that is gone, or damaged: the rest of the call is still worth showing.
      return null;
    }
  }
}

function turnView(turn: CallTurn): CallTurnView {
  return {
    sequence: turn.sequence,
    speaker: turn.speaker,
    text: turn.text,
    heard_text: turn.heardText,
    interrupted: turn.interrupted,
    started_at: turn.startedAt.toISOString(),
    ended_at: turn.endedAt.toISOString(),
    latencies: turn.latencies,
  };
}

function toolRunView(run: ToolRun): ToolRunView {
  return { key: run.key, name: run.name, status: run.status, result: run.result ?? null, created_at: run.createdAt.toISOString() };
}

function bookingView(booking: Booking): BookingView {
  return {
    id: booking.id,
    tenant_id: booking.tenantId,
    status: booking.status,
    starts_at: booking.startsAt.toISOString(),
    ends_at: booking.endsAt.toISOString(),
    customer_name: booking.customerName ?? null,
    service: booking.service ?? null,
    notes: booking.notes ?? null,
    source_call_id: booking.sourceCallId ?? null,
    created_at: booking.createdAt.toISOString(),
    updated_at: booking.updatedAt.toISOString(),
  };
}
