/** The worker process: wiring only. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startCallWorker } from '../../temporal/call-worker.ts';
import { encryptedDataConverter } from '../../temporal/data-converter.ts';
import { keepTryingForJanitor } from '../../temporal/janitor-schedule.ts';
import { createJanitorActivities } from '../activities/janitor/sweep-world.ts';
import { createActivities } from '../activities/create-activities.ts';
import { Database } from '../db/tenant-scope.ts';
import { HoldfastError } from '../domain/errors.ts';
import { connectRedis } from '../lib/redis.ts';
import { admitCall } from '../services/admission.ts';
import { janitorView } from '../services/janitor-view.ts';
import { untilMissedMs } from '../services/missed-calls.ts';
import { NumberVault } from '../services/number-vault.ts';
import { rewrapTenantKeys } from '../services/tenant-keys.ts';
import { errorFacts } from '../telemetry.ts';
import { callServices } from './call-services.ts';
import { runProcess } from './run-process.ts';

await runProcess('worker', async (config, logger) => {
  const db = await Database.open({ url: config.databaseUrl });
  const migrated = await db.isMigrated().catch((cause: unknown) => {
    const message = `PostgreSQL cannot be reached at ${new URL(config.databaseUrl).host} (DATABASE_URL)`;
    throw new HoldfastError('dependency_unavailable', message, { retryable: true, cause });
  });
  if (!migrated) throw new HoldfastError('dependency_unavailable', 'The database has no tables yet: run the migrations first');
  const vault = new NumberVault(config.keys);
  if (config.keys.encryptionPrevious !== undefined) {
    const rewrapped = await rewrapTenantKeys({ db, vault });
    logger.info({ event: 'tenant_keys_rewrapped', rewrapped }, 'Tenants’ keys are wrapped under the present platform key');
  }
  const redis = await connectRedis(config.redisUrl);
  const { admission, talk } = callServices({ config, logger, db, redis, vault });
  const activities = createActivities({
    admitCall: async (request) => {
      if (request.missed !== true) return admitCall(admission, request);
      // The API may still put the caller through.
      await sleep(untilMissedMs(request, Date.now()));
      return admitCall(admission, request, 'missed');
    },
    ...talk,
  });
  const { controlSecret } = config.media;
  const janitor = createJanitorActivities({ ...janitorView({ db, redis }), controlSecret, logger });
  const worker = await startCallWorker({
    temporal: config.temporal,
    activities: { ...activities, ...janitor },
    dataConverter: encryptedDataConverter(config.keys),
    logger,
  });
  worker.done.catch((error: unknown) => {
    logger.fatal({ event: 'worker_broken', error: errorFacts(error) }, 'The worker broke');
    process.exit(1);
  });
  const stopping = new AbortController();
  const { everyMs } = config.janitor;
  const schedule = { client: worker.client, taskQueue: config.temporal.taskQueue };
  if (everyMs > 0) void keepTryingForJanitor(schedule, { everyMs, logger, signal: stopping.signal });
  return {
    async stop() {
      stopping.abort();
      await worker.stop();
      redis.disconnect();
      await db[Symbol.asyncDispose]();
    },
  };
});
