import { Migration } from '@mikro-orm/migrations';

/**
 * The janitor's question: which calls have no end yet? It concerns every tenant, and is asked by a
 * role that sees none of them, so it is answered like resolve_did: as the tables' owner, ids and
 * times only. Whatever is then done to such a call is done in its tenant's scope.
 */
export class OpenCalls extends Migration {
  override async up(): Promise<void> {
    await this.execute(OPEN_CALLS);
    await this.execute(`grant execute on function open_calls(int) to holdfast_app`);
  }

  override async down(): Promise<void> {
    await this.execute('drop function open_calls(int)');
    await this.execute('drop policy calls_owner_open_calls on calls');
  }
}

/** The policy is for the owner alone, and only inside the function: it switches app.look_up on for itself. */
const OPEN_CALLS = `
create policy calls_owner_open_calls on calls for select to current_user using (current_setting('app.look_up', true) = 'open_calls');
create function open_calls(at_most int)
returns table (call_id uuid, tenant_id uuid, started_at timestamptz)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.look_up', 'open_calls', true);
  return query
    select call.id, call.tenant_id, call.started_at::timestamptz from public.calls call
    where call.disposition is null order by call.started_at limit at_most;
  perform set_config('app.look_up', '', true);
end $$;
revoke all on function open_calls(int) from public`;
