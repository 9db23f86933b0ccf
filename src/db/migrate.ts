/** Migrations, run as the owner of the tables. */
import { createOrm, type OrmOptions } from './orm.ts';

/** Runs what is pending; answers the names of the migrations that ran. */
export const migrateUp = (options: OrmOptions): Promise<string[]> => migrate(options, 'up');

/** Takes back the newest migration. */
export const migrateDown = (options: OrmOptions): Promise<string[]> => migrate(options, 'down');

/** What the entities would still have to change in the database; empty when migrations and entities agree. */
export async function schemaDrift(options: OrmOptions): Promise<string> {
  const orm = await createOrm(options);
  try {
    return (await orm.schema.getUpdateSchemaSQL({ wrap: false })).trim();
  } finally {
    await orm.close(true);
  }
}

async function migrate(options: OrmOptions, direction: 'up' | 'down'): Promise<string[]> {
  // Index builds and rewrites may take long on a large database.
  const orm = await createOrm({ statementTimeoutMs: 3_600_000, ...options, poolMax: 2 });
  try {
    const done = direction === 'up' ? await orm.migrator.up() : await orm.migrator.down();
    return done.map((migration) => migration.name);
  } finally {
    await orm.close(true);
  }
}
