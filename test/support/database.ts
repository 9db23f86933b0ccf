/** A migrated database for one test file: real PostgreSQL, no row shared with another file. */
import pg from 'pg';
import { migrateUp } from '../../src/db/migrate.ts';
import { createTestDatabase, type TestDatabase } from './stack.ts';

export async function migratedDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  try {
    await migrateUp({ url: database.ownerUrl });
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** Statements on one connection of their own, in order; answers the rows of the last. */
export async function runSql<Row extends pg.QueryResultRow>(
  url: string,
  ...statements: (string | { sql: string; values: unknown[] })[]
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let rows: Row[] = [];
    for (const statement of statements) {
      const { sql, values } = typeof statement === 'string' ? { sql: statement, values: [] } : statement;
      rows = (await client.query<Row>(sql, values)).rows;
    }
    return rows;
  } finally {
    await client.end();
  }
}
