import { Migration } from '@mikro-orm/migrations';

/**
 * Tables, row-level security and the rights of the application's role. Written out in full, because
 * a migration is history: it must not change when the entities do.
 */
export class InitialSchema extends Migration {
  override async up(): Promise<void> {
    await this.execute(APP_ROLE);
    for (const statement of [TENANTS, AI_PROFILES, PHONE_NUMBERS, CALLS, CALL_TURNS, BOOKINGS, TOOL_RUNS]) await this.execute(statement);
    for (const table of TABLES)
      await this.execute(`alter table ${table} enable row level security; alter table ${table} force row level security;`);
    await this.execute(POLICIES);
    await this.execute(RESOLVE_DID);
    await this.execute(GRANTS);
  }

  override async down(): Promise<void> {
    await this.execute('drop function resolve_did(text[], text[])');
    for (const table of TABLES.toReversed()) await this.execute(`drop table ${table}`);
    // The role stays: it belongs to the whole cluster, perhaps to other databases too.
    await this.execute('revoke usage on schema public from holdfast_app');
  }
}

const TABLES = ['tenants', 'ai_profiles', 'phone_numbers', 'calls', 'call_turns', 'bookings', 'tool_runs'];

/** Normally made beforehand with a password; an owner without CREATEROLE is told so here. */
const APP_ROLE = `
do $$ begin
  if not exists (select from pg_roles where rolname = 'holdfast_app') then
    create role holdfast_app nologin nosuperuser nobypassrls;
  end if;
exception when insufficient_privilege then
  raise exception 'role holdfast_app is missing and this user may not create it'
    using hint = 'create role holdfast_app login password ''…'' nosuperuser nobypassrls';
end $$`;

const ROW = `
  id uuid not null primary key,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()`;

const owned = (table: string): string => `${ROW},
  tenant_id uuid not null constraint ${table}_tenant_id_foreign references tenants (id) on delete cascade`;

const TENANTS = `
create table tenants (${ROW},
  name varchar(200) not null constraint tenants_name_not_blank check (name ~ '[^[:space:]]'),
  status text not null default 'active' constraint tenants_status_check check (status in ('active', 'suspended', 'deleted')),
  plan text not null default 'starter' constraint tenants_plan_check check (plan in ('starter', 'growth', 'custom')),
  country varchar(2) not null constraint tenants_country_iso2 check (country ~ '^[A-Z]{2}$'),
  timezone varchar(64) not null,
  opening_hours jsonb not null,
  wrapped_data_key bytea not null
)`;

const AI_PROFILES = `
create table ai_profiles (${owned('ai_profiles')},
  name varchar(200) not null,
  role text not null default 'receptionist'
    constraint ai_profiles_role_check check (role in ('receptionist', 'sales', 'support', 'dispatcher', 'custom')),
  system_prompt text not null constraint ai_profiles_system_prompt_not_blank check (system_prompt ~ '[^[:space:]]'),
  greeting text,
  language varchar(35) not null default 'en-US',
  voice varchar(100),
  is_default boolean not null default false
);
create index ai_profiles_tenant_id_index on ai_profiles (tenant_id);
create unique index ai_profiles_one_default_per_tenant on ai_profiles (tenant_id) where is_default`;

const PHONE_NUMBERS = `
create table phone_numbers (${owned('phone_numbers')},
  did_number varchar(16) not null constraint phone_numbers_did_number_unique unique
    constraint phone_numbers_did_number_e164 check (did_number ~ '^\\+[1-9][0-9]{3,14}$'),
  provider_type varchar(32) not null default 'generic',
  is_active boolean not null default true,
  ai_profile_id uuid constraint phone_numbers_ai_profile_id_foreign references ai_profiles (id) on delete set null
);
create index phone_numbers_tenant_id_index on phone_numbers (tenant_id);
create index phone_numbers_ai_profile_id_index on phone_numbers (ai_profile_id)`;

const CALLS = `
create table calls (${owned('calls')},
  external_call_id varchar(150) not null,
  direction text not null default 'inbound' constraint calls_direction_check check (direction in ('inbound', 'outbound')),
  status text not null default 'initiated'
    constraint calls_status_check check (status in ('initiated', 'in_progress', 'completed', 'failed', 'rejected')),
  disposition text constraint calls_disposition_check check (disposition in ('completed', 'caller_hangup', 'abandoned', 'no_input',
    'max_turns', 'max_duration', 'operator_hangup', 'rejected', 'error')),
  reason varchar(100),
  caller_number_hash varchar(64),
  caller_number_sealed bytea,
  phone_number_id uuid constraint calls_phone_number_id_foreign references phone_numbers (id) on delete set null,
  ai_profile_id uuid constraint calls_ai_profile_id_foreign references ai_profiles (id) on delete set null,
  media_node varchar(60),
  started_at timestamptz(3) not null,
  answered_at timestamptz(3),
  ended_at timestamptz(3),
  usage jsonb,
  constraint calls_disposition_is_terminal check ((disposition is not null) = (status in ('completed', 'failed', 'rejected')))
);
create index calls_tenant_id_index on calls (tenant_id);
create index calls_phone_number_id_index on calls (phone_number_id);
create index calls_ai_profile_id_index on calls (ai_profile_id);
create index calls_tenant_started_index on calls (tenant_id, started_at, id);
create index calls_tenant_caller_index on calls (tenant_id, caller_number_hash, started_at)`;

const CALL_TURNS = `
create table call_turns (${owned('call_turns')},
  call_id uuid not null constraint call_turns_call_id_foreign references calls (id) on delete cascade,
  sequence int not null constraint call_turns_sequence_not_negative check (sequence >= 0),
  speaker text not null constraint call_turns_speaker_check check (speaker in ('caller', 'agent')),
  text text not null,
  heard_text text not null,
  interrupted boolean not null default false,
  started_at timestamptz(3) not null,
  ended_at timestamptz(3) not null,
  latencies jsonb not null,
  constraint call_turns_call_sequence_unique unique (call_id, sequence)
);
create index call_turns_tenant_id_index on call_turns (tenant_id)`;

const BOOKINGS = `
create table bookings (${owned('bookings')},
  starts_at timestamptz(3) not null,
  ends_at timestamptz(3) not null,
  status text not null default 'confirmed' constraint bookings_status_check check (status in ('confirmed', 'cancelled')),
  customer_name varchar(200),
  service varchar(200),
  notes varchar(2000),
  source_call_id uuid constraint bookings_source_call_id_foreign references calls (id) on delete set null,
  constraint bookings_ends_after_start check (ends_at > starts_at)
);
create index bookings_tenant_id_index on bookings (tenant_id);
create index bookings_source_call_id_index on bookings (source_call_id);
create unique index bookings_slot_taken_once on bookings (tenant_id, starts_at) where status = 'confirmed'`;

const TOOL_RUNS = `
create table tool_runs (${owned('tool_runs')},
  call_id uuid not null constraint tool_runs_call_id_foreign references calls (id) on delete cascade,
  key varchar(200) not null,
  name varchar(100) not null,
  status text not null default 'running' constraint tool_runs_status_check check (status in ('running', 'succeeded', 'failed')),
  result json,
  constraint tool_runs_call_key_unique unique (call_id, key)
);
create index tool_runs_tenant_id_index on tool_runs (tenant_id)`;

/** Null when no tenant is set, and so no row: the setting is '' after a transaction that had set it. */
const CURRENT_TENANT = `nullif(current_setting('app.tenant_id', true), '')::uuid`;
const PLATFORM = `current_setting('app.platform', true) = 'on'`;

/**
 * Foreign keys do not obey row-level security, so a row may only refer to rows that its own tenant
 * can see: they are looked up in the policy, where row-level security does hold.
 */
function tenantPolicy(table: string, references: Readonly<Record<string, string>> = {}): string {
  const visible = Object.entries(references).map(
    ([column, target]) => `(${table}.${column} is null or exists (select 1 from ${target} as target where target.id = ${table}.${column}))`,
  );
  const check = [`tenant_id = ${CURRENT_TENANT}`, ...visible].join(' and ');
  return `create policy ${table}_tenant on ${table} using (tenant_id = ${CURRENT_TENANT}) with check (${check});`;
}

const POLICIES = `
create policy tenants_in_scope on tenants for select using (id = ${CURRENT_TENANT});
create policy tenants_platform on tenants using (${PLATFORM}) with check (${PLATFORM});
${tenantPolicy('ai_profiles')}
${tenantPolicy('phone_numbers', { ai_profile_id: 'ai_profiles' })}
${tenantPolicy('calls', { phone_number_id: 'phone_numbers', ai_profile_id: 'ai_profiles' })}
${tenantPolicy('call_turns', { call_id: 'calls' })}
${tenantPolicy('bookings', { source_call_id: 'calls' })}
${tenantPolicy('tool_runs', { call_id: 'calls' })}`;

/**
 * The one question asked before a tenant is known: whose number was dialled? It runs as the tables'
 * owner, for whom alone the two policies exist, and answers with ids and flags only. Reading n of
 * the number is taken as E.164 when countries[n] is null, else as the national form of that country.
 */
const RESOLVE_DID = `
create policy tenants_owner_look_up on tenants for select to current_user using (true);
create policy phone_numbers_owner_look_up on phone_numbers for select to current_user using (true);
create function resolve_did(numbers text[], countries text[])
returns table (phone_number_id uuid, tenant_id uuid, is_active boolean, tenant_status text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select distinct phone.id, tenant.id, phone.is_active, tenant.status
  from unnest(numbers, countries) as reading (number, country)
  join public.phone_numbers phone on phone.did_number = reading.number
  join public.tenants tenant on tenant.id = phone.tenant_id and (reading.country is null or tenant.country = reading.country)
  limit 2
$$;
revoke all on function resolve_did(text[], text[]) from public`;

/** Rows only: the role owns nothing. Tenants are never deleted by it, they get the status "deleted". */
const GRANTS = `
grant usage on schema public to holdfast_app;
grant select, insert, update on tenants to holdfast_app;
grant select, insert, update, delete on ai_profiles, phone_numbers, calls, call_turns, bookings, tool_runs to holdfast_app;
grant execute on function resolve_did(text[], text[]) to holdfast_app`;
