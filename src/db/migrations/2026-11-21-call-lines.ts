import { Migration } from '@mikro-orm/migrations';

/** Limits on simultaneous calls, and calls that are admitted while Temporal is away. */
export class CallLines extends Migration {
  override async up(): Promise<void> {
    for (const statement of [TENANT_LIMIT, FAIL_OPEN, INDEXES, POLICY, CALL_LOAD, UNSTARTED_CALLS, GRANTS]) await this.execute(statement);
  }

  override async down(): Promise<void> {
    await this.execute('drop function unstarted_calls(int); drop function call_load(uuid)');
    await this.execute('drop policy calls_owner_look_up on calls');
    await this.execute('drop index calls_open_index; drop index calls_unstarted_index');
    await this.execute(
      'alter table calls drop column admitted_by, drop column workflow_started_at, drop column attended_by, drop column attended_until',
    );
    await this.execute('alter table tenants drop column max_concurrent_calls');
  }
}

const TENANT_LIMIT = `
alter table tenants add column max_concurrent_calls int
  constraint tenants_max_concurrent_calls_positive check (max_concurrent_calls > 0)`;

const FAIL_OPEN = `
alter table calls
  add column admitted_by text not null default 'workflow' constraint calls_admitted_by_check check (admitted_by in ('workflow', 'fail_open')),
  add column workflow_started_at timestamptz(3),
  add column attended_by uuid,
  add column attended_until timestamptz(3)`;

/** Both hold a handful of rows, however many calls there have been. */
const INDEXES = `
create index calls_open_index on calls (tenant_id) where disposition is null;
create index calls_unstarted_index on calls (created_at)
  where admitted_by = 'fail_open' and workflow_started_at is null and disposition is distinct from 'rejected'`;

/** For the owner alone, and only inside the functions below: they switch app.look_up on for themselves. */
const POLICY = `
create policy calls_owner_look_up on calls for select to current_user using (current_setting('app.look_up', true) = 'calls')`;

/**
 * How many calls are open, on the whole platform and of one tenant; numbers only. Whoever asks holds
 * the admission lock until the end of the transaction, so that the counts stay true until the call
 * is on record. A process that freezes in between loses the lock after a second.
 */
const CALL_LOAD = `
create function call_load(asking uuid)
returns table (open_calls int, open_of_tenant int, busy_tenants int, callable_tenants int)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(1214664772);
  perform set_config('idle_in_transaction_session_timeout', '1s', true);
  perform set_config('app.look_up', 'calls', true);
  return query
    with open as (select call.tenant_id, count(*)::int as calls from public.calls call where call.disposition is null group by call.tenant_id)
    select
      coalesce((select sum(calls) from open), 0)::int,
      coalesce((select calls from open where open.tenant_id = asking), 0),
      (select count(*)::int from open where open.tenant_id <> asking) + 1,
      (select count(*)::int from (
        select from public.tenants tenant where tenant.status = 'active'
          and exists (select from public.phone_numbers phone where phone.tenant_id = tenant.id and phone.is_active) limit 2
      ) as callable);
  perform set_config('app.look_up', '', true);
end $$;
revoke all on function call_load(uuid) from public`;

/** Calls that were admitted without Temporal and have no workflow yet, oldest first: ids only. One that was refused needs none. */
const UNSTARTED_CALLS = `
create function unstarted_calls(at_most int)
returns table (call_id uuid, tenant_id uuid)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.look_up', 'calls', true);
  return query
    select call.id, call.tenant_id from public.calls call
    where call.admitted_by = 'fail_open' and call.workflow_started_at is null and call.disposition is distinct from 'rejected'
    order by call.created_at limit at_most;
  perform set_config('app.look_up', '', true);
end $$;
revoke all on function unstarted_calls(int) from public`;

const GRANTS = `
grant execute on function call_load(uuid), unstarted_calls(int) to holdfast_app`;
