/**
 * A database that outlives the run needs the same keys the next time, or the tenants' own keys in
 * it could not be unwrapped. Without DATA_ENCRYPTION_KEY and NUMBER_HASH_KEY in the environment they
 * are made once and kept in .run/, readable by this user only.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Secrets } from './environment.ts';

const keys = z.object({ dataEncryptionKey: z.base64(), numberHashKey: z.base64() });
const defaultFile = fileURLToPath(new URL('../../.run/database-keys.json', import.meta.url));

export async function withKeptKeys(secrets: Secrets, file = defaultFile): Promise<Secrets> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const { dataEncryptionKey, numberHashKey } = secrets;
  try {
    await writeFile(file, JSON.stringify({ dataEncryptionKey, numberHashKey }), { mode: 0o600, flag: 'wx' });
    return secrets;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
    return { ...secrets, ...keys.parse(JSON.parse(await readFile(file, 'utf8'))) };
  }
}
