/** Makes the search attributes of a call on a Temporal server that Holdfast did not start itself. */
import { Connection } from '@temporalio/client';
import { searchAttributeNames } from '../src/contracts/call-workflow.ts';

/** temporal.api.enums.v1.IndexedValueType */
const KEYWORD = 2;
/** gRPC status ALREADY_EXISTS: another process was faster. */
const ALREADY_EXISTS = 6;

/**
 * Idempotent. The server's own caches may take a minute until an attribute that was new can be used.
 * @returns the names that were missing.
 * @throws Error when the server is unreachable or the account may not change the namespace, naming what to run by hand.
 */
export async function ensureSearchAttributes(options: { address: string; namespace: string }): Promise<string[]> {
  const connection = await Connection.connect({ address: options.address, connectTimeout: 5_000 });
  try {
    const { namespace } = options;
    const present = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = Object.values(searchAttributeNames).filter((name) => !(name in (present.customAttributes ?? {})));
    const mistyped = Object.values(searchAttributeNames).filter((name) => (present.customAttributes?.[name] ?? KEYWORD) !== KEYWORD);
    if (mistyped.length > 0) throw new Error(`search attributes exist with another type than Keyword: ${mistyped.join(', ')}`);
    if (missing.length === 0) return [];
    const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === ALREADY_EXISTS) return;
      const flags = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
      throw new Error(`cannot make search attributes; run: temporal operator search-attribute create --namespace ${namespace} ${flags}`, {
        cause: error,
      });
    });
    return missing;
  } finally {
    await connection.close();
  }
}
