/** The HTTP application on a free port, over a real database; calls are admitted without Temporal in between. */
import { randomBytes } from 'node:crypto';
import { EncryptionCodec } from '../../temporal/encryption-codec.ts';
import { createApp, type AppDeps } from '../../src/api/app.ts';
import { listen, type HttpServer } from '../../src/api/listen.ts';
import type { AdmitRequest } from '../../src/contracts/call-workflow.ts';
import type { InboundWebhookResponse } from '../../src/contracts/telephony-webhook.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import type { SteerCommand } from '../../src/domain/steering.ts';
import { admitCall } from '../../src/services/admission.ts';
import { AIProfiles } from '../../src/services/ai-profiles.ts';
import type { CallGateway } from '../../src/services/call-gateway.ts';
import { CallLog } from '../../src/services/call-log.ts';
import { NodeChooser } from '../../src/services/media-nodes.ts';
import { PhoneNumbers } from '../../src/services/phone-numbers.ts';
import { Tenants } from '../../src/services/tenants.ts';
import { createLogger } from '../../src/telemetry.ts';
import type { TenantWorld } from './tenant-world.ts';
import { mediaNodeOf } from './media-node.ts';

export const WEBHOOK_SECRET = 'test-webhook-secret-1';
export const PREVIOUS_WEBHOOK_SECRET = 'test-webhook-secret-0';

/** What Temporal does for the API, without Temporal: admission runs here, hang-ups are noted. */
export class DirectGateway implements CallGateway {
  readonly admitted: AdmitRequest[] = [];
  readonly hangups: { readonly callRecordId: string; readonly reason: string }[] = [];
  readonly steered: { readonly callId: string; readonly command: SteerCommand }[] = [];
  /** Thrown instead of answering, as a slow or absent Temporal makes the real one throw. */
  failure: HoldfastError | null = null;
  readonly #world: TenantWorld;
  readonly #chooser = new NodeChooser();

  constructor(world: TenantWorld) {
    this.#world = world;
  }

  async admit(request: AdmitRequest): Promise<InboundWebhookResponse> {
    if (this.failure !== null) throw this.failure;
    this.admitted.push(request);
    const node = mediaNodeOf('media-1', { capacity: 100 });
    const admission = await admitCall(
      {
        db: this.#world.db,
        vault: this.#world.vault,
        mediaNodes: { live: async () => [node] },
        nodeChooser: this.#chooser,
        plan: {
          conversation: { maxTurns: 20, maxDurationSeconds: 300, silenceReminderMs: 8_000, maxReminders: 2 },
          models: { stt: 'whisper-1', llm: 'gpt-4', tts: 'tts-1', voice: 'alloy' },
        },
        maxConcurrentCalls: 500,
        now: () => new Date(),
      },
      request,
    );
    return admission.response;
  }

  async hangup(callRecordId: string, reason: string): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.hangups.push({ callRecordId, reason });
  }

  async steer({ callId }: { callId: string }, command: SteerCommand): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.steered.push({ callId, command });
  }

  async ping(): Promise<void> {
    if (this.failure !== null) throw this.failure;
  }
}

export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  readonly gateway: DirectGateway;
}

export async function apiServer(world: TenantWorld, change: Partial<AppDeps> = {}): Promise<ApiServer> {
  const gateway = new DirectGateway(world);
  const app = createApp({
    name: 'holdfast',
    version: '0.1.0',
    host: '127.0.0.1',
    tenants: new Tenants(world),
    phoneNumbers: new PhoneNumbers(world),
    aiProfiles: new AIProfiles(world),
    callLog: new CallLog(world),
    gateway,
    webhook: {
      desk: gateway,
      vault: world.vault,
      secrets: [WEBHOOK_SECRET, PREVIOUS_WEBHOOK_SECRET],
      allowedAddresses: ['127.0.0.1/32', '::1/128'],
      maxAgeSeconds: 60,
      now: () => new Date(),
    },
    twilio: null,
    codec: {
      token: '',
      origins: [],
      namespace: 'default',
      codec: new EncryptionCodec({ encryption: randomBytes(32) }),
      bodyLimitBytes: 1_000_000,
    },
    probes: { postgres: () => world.db.ping(), redis: async () => undefined, temporal: () => gateway.ping() },
    bodyLimitBytes: 65_536,
    logger: createLogger({ process: 'api', level: 'silent' }),
    ...change,
  });
  const server: HttpServer = await listen(app, { host: '127.0.0.1', port: 0 });
  return { url: server.url, gateway, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

export interface Answer<Body = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** One request; a JSON (or problem+json) answer is parsed, anything else is { text }. */
export async function ask<Body = Record<string, unknown>>(url: string, options: Ask = {}): Promise<Answer<Body>> {
  const { method = 'GET', body } = options;
  const headers = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), connection: 'close', ...options.headers };
  const response = await fetch(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : { text }) as Body };
}
