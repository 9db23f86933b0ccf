/** Per-transaction settings that row-level security reads; src/db/tenant-scope.ts sets them. */

export const TENANT_SETTING = 'app.tenant_id';
export const PLATFORM_SETTING = 'app.platform';

/** Null, and so no row at all, when the setting is missing: it is '' after a transaction that had set it. */
export const CURRENT_TENANT_SQL = `nullif(current_setting('${TENANT_SETTING}', true), '')::uuid`;
export const PLATFORM_SQL = `current_setting('${PLATFORM_SETTING}', true) = 'on'`;
