/** The API process: wiring only. */
import { encryptedDataConverter } from '../../temporal/data-converter.ts';
import { createApp } from '../api/app.ts';
import { listen } from '../api/listen.ts';
import { connectDatabase } from '../db/connect.ts';
import { connectRedis } from '../lib/redis.ts';
import { AIProfiles } from '../services/ai-profiles.ts';
import { TemporalCallGateway } from '../services/call-gateway.ts';
import { CallLog } from '../services/call-log.ts';
import { NumberVault } from '../services/number-vault.ts';
import { PhoneNumbers } from '../services/phone-numbers.ts';
import { Tenants } from '../services/tenants.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { openAdmissionDesk } from './admission-desk.ts';
import { runProcess } from './run-process.ts';

/** How long requests that are being answered may take after SIGTERM. */
const DRAIN_MS = 5_000;

await runProcess('api', async (config, logger) => {
  const db = await connectDatabase({ url: config.databaseUrl });
  const redis = await connectRedis(config.redisUrl);
  const dataConverter = encryptedDataConverter(config.keys);
  const gateway = await TemporalCallGateway.connect({
    ...config.temporal,
    dataConverter,
    onTenantKnown: (workflowId, tenantId) => dataConverter.codec.learn(workflowId, tenantId),
    admitTimeoutMs: config.limits.webhookUpdateMs,
  });
  const vault = new NumberVault(config.keys);
  const running = openAdmissionDesk({ config, logger, db, redis, vault, gateway });
  const app = createApp({
    name: config.appName,
    version: packageJson.version,
    host: config.api.host,
    tenants: new Tenants({ db, vault }),
    phoneNumbers: new PhoneNumbers({ db }),
    aiProfiles: new AIProfiles({ db }),
    callLog: new CallLog({ db, vault }),
    gateway,
    webhook: { ...config.webhook, desk: running.desk, vault, now: () => new Date() },
    twilio: config.twilio && { ...config.twilio, calls: running.twilioCalls, vault, now: () => new Date() },
    codec: {
      ...config.codec,
      namespace: config.temporal.namespace,
      codec: dataConverter.codec,
      bodyLimitBytes: config.limits.codecBodyBytes,
    },
    probes: { postgres: () => db.ping(), redis: async () => void (await redis.ping()), temporal: () => gateway.ping(1_000) },
    bodyLimitBytes: config.limits.requestBodyBytes,
    logger,
  });
  const server = await listen(app, config.api);
  logger.info({ event: 'listening', url: server.url }, 'The API is listening');
  return {
    async stop() {
      await server.close(DRAIN_MS);
      await running[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
      redis.disconnect();
      await db[Symbol.asyncDispose]();
    },
  };
});
