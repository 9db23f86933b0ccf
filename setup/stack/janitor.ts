/** The janitor of a stack: run now, or taken out of a Temporal server that outlives the stack. */
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { janitorScheduleId, type JanitorReport } from '../../src/contracts/janitor.ts';
import { encryptedDataConverter } from '../../temporal/data-converter.ts';
import { runJanitor } from '../../temporal/janitor-schedule.ts';

/** Environment of the stack's processes (Stack.env). */
type StackEnv = Readonly<Record<string, string>>;

const CONNECT_TIMEOUT_MS = 5_000;

/** Takes some seconds: it looks twice. Repairs what it finds. @throws when no worker takes the run. */
export const runJanitorOf = (env: StackEnv): Promise<JanitorReport> =>
  withClient(env, (client) => runJanitor({ client, taskQueue: taskQueueOf(env) }));

/** No error when there is none. */
export const removeJanitorOf = (env: StackEnv): Promise<void> =>
  withClient(env, async (client) => {
    await client.schedule
      .getHandle(janitorScheduleId(taskQueueOf(env)))
      .delete()
      .catch((error: unknown) => {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      });
  });

const taskQueueOf = (env: StackEnv): string => env['TEMPORAL_TASK_QUEUE'] ?? 'holdfast';

async function withClient<T>(env: StackEnv, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: env['TEMPORAL_ADDRESS'] ?? '', connectTimeout: CONNECT_TIMEOUT_MS });
  try {
    const encryption = Buffer.from(env['DATA_ENCRYPTION_KEY'] ?? '', 'base64');
    const namespace = env['TEMPORAL_NAMESPACE'] ?? 'default';
    return await work(new Client({ connection, namespace, dataConverter: encryptedDataConverter({ encryption }) }));
  } finally {
    await connection.close();
  }
}
