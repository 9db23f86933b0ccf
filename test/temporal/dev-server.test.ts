import { expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { startTemporal } from '../../temporal/dev-server.ts';
import { sharedParts } from '../support/stack.ts';

test('startTemporal keeps histories over a restart, serves its UI on loopback and leaves no process', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'holdfast-temporal-'));
  const options = { parts: sharedParts().parts, dir, logFile: join(dir, 'temporal.log'), port: 0, uiPort: 0 };
  try {
    await using first = await startTemporal(options);
    expect(first.address).toMatch(/^127\.0\.0\.1:\d+$/);
    const page = await fetch(first.uiUrl);
    expect(await page.text()).toContain('<html');
    await withClient(first.address, (client) => client.workflow.start('nobody', { taskQueue: 'nobody', workflowId: 'kept' }));
    await first.stop();
    expect(() => process.kill(first.pid, 0)).toThrow('ESRCH');

    await using second = await startTemporal(options);
    await withClient(second.address, async (client) => {
      expect((await client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}, 60_000);

async function withClient(address: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
}
