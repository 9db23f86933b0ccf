/** The HTTP application: middleware in order, routes, and the one error handler. */
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Tenants } from '../services/tenants.ts';
import type { AIProfiles } from '../services/ai-profiles.ts';
import type { CallGateway } from '../services/call-gateway.ts';
import type { CallLog } from '../services/call-log.ts';
import type { PhoneNumbers } from '../services/phone-numbers.ts';
import { HoldfastError } from '../domain/errors.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import { mountCodecEndpoint, type CodecDeps } from './codec-endpoint.ts';
import { mountDocs } from './docs.ts';
import { checkHealth, type Probes } from './health.ts';
import { mountRoutes } from './mount-routes.ts';
import { openApiDocument } from './openapi.ts';
import { sendProblem, statusOf, toHoldfastError } from './problem.ts';
import { accessLog, isLoopback, loopbackNamesOnly, requestIdOf, safeHeaders } from './request-guards.ts';
import { aiProfileRoutes } from './routes/ai-profiles.ts';
import { callRoutes } from './routes/calls.ts';
import { phoneNumberRoutes } from './routes/phone-numbers.ts';
import { tenantRoutes } from './routes/tenants.ts';
import { mountTwilioVoice, type TwilioVoiceDeps } from './webhooks/twilio-voice.ts';
import { mountInboundWebhook, type InboundWebhookDeps } from './webhooks/inbound.ts';

export interface AppDeps {
  readonly name: string;
  readonly version: string;
  /** Where the API is bound. */
  readonly host: string;
  readonly tenants: Tenants;
  readonly phoneNumbers: PhoneNumbers;
  readonly aiProfiles: AIProfiles;
  readonly callLog: CallLog;
  readonly gateway: CallGateway;
  readonly webhook: Omit<InboundWebhookDeps, 'bodyLimitBytes'>;
  /** Null: there is no such webhook. */
  readonly twilio: Omit<TwilioVoiceDeps, 'logger'> | null;
  readonly codec: CodecDeps;
  readonly probes: Probes;
  readonly bodyLimitBytes: number;
  readonly logger: Logger;
}

export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Behind a proxy the webhook's address check would see the proxy: headers are never believed.
  app.set('trust proxy', false);
  app.use(accessLog(deps.logger), safeHeaders);
  // Asked under its public name, through a proxy, and signed.
  if (deps.twilio !== null) mountTwilioVoice(app, { ...deps.twilio, logger: deps.logger });
  if (isLoopback(deps.host)) app.use(loopbackNamesOnly);
  mountInboundWebhook(app, { ...deps.webhook, bodyLimitBytes: deps.bodyLimitBytes });
  mountCodecEndpoint(app, { ...deps.codec, logger: deps.logger });
  const routes = [
    ...tenantRoutes(deps.tenants),
    ...phoneNumberRoutes(deps.phoneNumbers),
    ...aiProfileRoutes(deps.aiProfiles),
    ...callRoutes(deps.callLog, deps.gateway),
  ];
  mountRoutes(app, routes, { bodyLimitBytes: deps.bodyLimitBytes });
  mountService(app, deps);
  mountDocs(app, openApiDocument(routes, deps.version));
  app.use(() => {
    throw new HoldfastError('not_found', 'There is nothing here');
  });
  app.use(errorHandler(deps.logger));
  return app;
}

function mountService(app: Express, deps: AppDeps): void {
  const links = { docs: '/docs/', openapi: '/openapi.json', health: '/healthz', tenants: '/api/tenants' };
  app.get('/', (_request, response) => {
    response.json({ name: deps.name, version: deps.version, links });
  });
  app.get('/healthz', async (_request, response) => {
    const health = await checkHealth(deps.probes);
    response.status(health.status === 'ok' ? 200 : 503).json(health);
  });
}

/** Four parameters: that is how Express knows an error handler. */
function errorHandler(logger: Logger): ErrorRequestHandler {
  return (thrown, _request, response, next) => {
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const error = toHoldfastError(thrown);
    const requestId = requestIdOf(response);
    if (statusOf(error) >= 500) logger.error({ event: 'request_failed', requestId, error: errorFacts(error) }, 'A request failed');
    sendProblem(response, error, requestId);
  };
}
