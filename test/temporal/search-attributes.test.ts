import { expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { searchAttributeNames } from '../../src/contracts/call-workflow.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { sharedParts } from '../support/stack.ts';

const names = Object.values(searchAttributeNames);

test('startTemporal brings the search attributes along', async () => {
  const { address, namespace } = sharedParts().temporal;
  expect(await ensureSearchAttributes({ address, namespace })).toEqual([]);
});

test('ensureSearchAttributes makes what a namespace lacks, once', async () => {
  const { address } = sharedParts().temporal;
  const namespace = `test-${randomBytes(4).toString('hex')}`;
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 as never } });
    // A new namespace is known everywhere only after the server's next look.
    const deadline = Date.now() + 25_000;
    let made: string[] | undefined;
    while (made === undefined && Date.now() < deadline) {
      made = await ensureSearchAttributes({ address, namespace }).catch(() => undefined);
      if (made === undefined) await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect(made?.sort()).toEqual([...names].sort());
    expect(await ensureSearchAttributes({ address, namespace })).toEqual([]);
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(names));
  } finally {
    await connection.close();
  }
});

test('ensureSearchAttributes fails on a server that is not there', async () => {
  await expect(ensureSearchAttributes({ address: '127.0.0.1:1', namespace: 'default' })).rejects.toThrow();
});
