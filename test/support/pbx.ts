/** A real PBX in a directory of its own, a webhook that follows the contract, and a carrier that dials. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPbx, type Pbx, type StartPbxOptions } from '../../asterisk/start.ts';
import { startCarrier, type Carrier } from '../../setup/demo/carrier.ts';
import { freePort, freeUdpPort } from '../../setup/stack/ports.ts';
import { inboundWebhookRequest, type InboundWebhookRequest, type InboundWebhookResponse } from '../../src/contracts/telephony-webhook.ts';
import { createLogger } from '../../src/telemetry.ts';
import { sharedParts } from './stack.ts';

export const CALL_RECORD_ID = '6f2d3c1e-6b7a-5c0e-9d55-0a8f4f3f7b11';
export const TENANT_ID = '0d9c7a54-93f1-4f0e-8a43-3f6d0f2f9c21';
/** Characters that the configuration syntax and the dialplan would like to read as their own. */
export const WEBHOOK_SECRET = 'a;b,c"d$e{f}g(h)i\\j|k&l';
export const ARI_USER = { username: 'holdfast', password: 'p;w"$,x{1}' };

export const silentLogger = createLogger({ process: 'test', level: process.env['LOG_LEVEL'] ?? 'silent' });

export interface TestPbx extends AsyncDisposable {
  pbx: Pbx;
  readonly options: StartPbxOptions;
  /** Ends the PBX and starts it again on the same ports. */
  restart(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export async function startTestPbx(webhookUrl: string, more: Partial<StartPbxOptions> = {}): Promise<TestPbx> {
  const dir = await mkdtemp(join(tmpdir(), 'hf-pbx-'));
  const options: StartPbxOptions = {
    parts: sharedParts().parts,
    dir: join(dir, 'pbx'),
    logFile: join(dir, 'pbx.log'),
    sipPort: await freeUdpPort(),
    httpPort: await freePort(),
    rtpPorts: { first: 12_000, last: 19_998 },
    webhookUrl,
    webhookSecret: WEBHOOK_SECRET,
    ariUsername: ARI_USER.username,
    ariPassword: ARI_USER.password,
    ...more,
  };
  const running: TestPbx = {
    options,
    pbx: await startPbx(options),
    async restart(signal = 'SIGTERM') {
      if (running.pbx.running) process.kill(running.pbx.pid, signal);
      await running.pbx.exited;
      running.pbx = await startPbx(options);
    },
    async [Symbol.asyncDispose]() {
      await running.pbx.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return running;
}

export interface TestCarrier extends AsyncDisposable {
  readonly carrier: Carrier;
}

export async function startTestCarrier(pbx: Pick<StartPbxOptions, 'sipPort'>): Promise<TestCarrier> {
  const dir = await mkdtemp(join(tmpdir(), 'hf-carrier-'));
  const carrier = await startCarrier({
    parts: sharedParts().parts,
    dir: join(dir, 'c'),
    logFile: join(dir, 'carrier.log'),
    pbxSip: { host: '127.0.0.1', port: pbx.sipPort },
  });
  return {
    carrier,
    async [Symbol.asyncDispose]() {
      await carrier.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export type Answer = (response: ServerResponse, request: InboundWebhookRequest) => void | Promise<void>;

export interface TestWebhook extends AsyncDisposable {
  readonly url: string;
  /** What arrived, in order; `raw` is the body as it was on the wire. */
  readonly received: { readonly raw: string; readonly authorization: string | undefined; readonly request: InboundWebhookRequest }[];
  /** What the next requests are answered with. */
  answer: Answer;
}

export const reply =
  (body: Partial<InboundWebhookResponse>, status = 200): Answer =>
  (response) => {
    const full = { status: 'accepted', call_record_id: null, tenant_id: null, message: '', media_app: null, standby_app: null, ...body };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(full));
  };

export const accept = (app: string, standby: string | null = null): Answer =>
  reply({ call_record_id: CALL_RECORD_ID, tenant_id: TENANT_ID, media_app: app, standby_app: standby });

export async function startTestWebhook(): Promise<TestWebhook> {
  const received: TestWebhook['received'] = [];
  const server = createServer((incoming, response) => {
    void readBody(incoming).then(async (raw) => {
      const request = inboundWebhookRequest.parse(JSON.parse(raw));
      received.push({ raw, authorization: incoming.headers.authorization, request });
      await webhook.answer(response, request);
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  const webhook: TestWebhook = {
    url: `http://127.0.0.1:${port}/internal/telephony/inbound`,
    received,
    answer: reply({ status: 'unknown_did' }),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return webhook;
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Polls until it holds. @throws Error naming what was waited for. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${what}`);
    await sleep(20);
  }
}
