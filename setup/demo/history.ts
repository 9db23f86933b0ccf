/** What Temporal knows of a call's workflow: the length of its history and whether it is closed. */
import { Client, Connection } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';

export interface History extends AsyncDisposable {
  /** Waits for the workflow to close; null when it did not within timeoutMs. */
  eventsOf(workflowId: string, timeoutMs?: number): Promise<number | null>;
}

const CLOSE_TIMEOUT_MS = 10_000;
const POLL_MS = 200;

export async function connectHistory(temporal: { readonly address: string; readonly namespace: string }): Promise<History> {
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace: temporal.namespace });
  return {
    async eventsOf(workflowId, timeoutMs = CLOSE_TIMEOUT_MS) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const { status, historyLength } = await client.workflow.getHandle(workflowId).describe();
        if (status.name !== 'RUNNING') return historyLength;
        if (Date.now() > deadline) return null;
        await sleep(POLL_MS);
      }
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
