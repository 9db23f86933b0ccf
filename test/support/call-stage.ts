/**
 * Everything an inbound call needs except a telephone: real Temporal, PostgreSQL, Redis and worker
 * processes, and media nodes that follow a script. One stage per test file.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { Redis } from 'ioredis';
import { encryptedDataConverter, type EncryptedDataConverter } from '../../temporal/data-converter.ts';
import { startChild, type Child } from '../../setup/stack/child.ts';
import { freePort } from '../../setup/stack/ports.ts';
import { startRedis } from '../../setup/stack/redis.ts';
import { INBOUND_CALL_WORKFLOW, workflowIdFor, type AdmitRequest, type CallOutcome } from '../../src/contracts/call-workflow.ts';
import { NODE_KEY_PREFIX } from '../../src/contracts/media-node.ts';
import { INBOUND_WEBHOOK_PATH, type InboundWebhookResponse } from '../../src/contracts/telephony-webhook.ts';
import { Database } from '../../src/db/tenant-scope.ts';
import { putNode } from '../../src/media/registry.ts';
import { TemporalCallGateway } from '../../src/services/call-gateway.ts';
import { NumberVault } from '../../src/services/number-vault.ts';
import { seedDemo, type Demo } from '../../src/services/seed.ts';
import { callRecordIdFor } from '../../src/services/call-identity.ts';
import { ask, WEBHOOK_SECRET, type Answer } from './api-server.ts';
import { migratedDatabase, runSql } from './database.ts';
import { saveHistory } from './saved-histories.ts';
import { CONTROL_SECRET, ScriptedMediaNode, type Script } from './scripted-media-node.ts';
import { sharedParts } from './stack.ts';
import { startTcpGate, type TcpGate } from './tcp-gate.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type StoredTurn = { readonly sequence: number; readonly speaker: string; readonly text: string };

export interface StageApi {
  readonly child: Child;
  readonly url: string;
  readonly logFile: string;
}

export class CallStage implements AsyncDisposable {
  /** Reads and writes sealed payloads, as the API does. */
  readonly client: Client;
  readonly demo: Demo;
  /** Between the workers and PostgreSQL, and Temporal. */
  readonly postgresGate: TcpGate;
  readonly temporalGate: TcpGate;
  readonly #dataConverter: EncryptedDataConverter;
  readonly #parts: AsyncDisposableStack;
  readonly #redis: Redis;
  readonly #workerEnv: Record<string, string>;
  readonly #taskQueue: string;
  readonly #ownerUrl: string;
  readonly #dir: string;
  #workers = 0;

  private constructor(fields: {
    client: Client;
    dataConverter: EncryptedDataConverter;
    taskQueue: string;
    demo: Demo;
    postgresGate: TcpGate;
    temporalGate: TcpGate;
    parts: AsyncDisposableStack;
    redis: Redis;
    workerEnv: Record<string, string>;
    ownerUrl: string;
    dir: string;
  }) {
    this.#taskQueue = fields.taskQueue;
    this.client = fields.client;
    this.#dataConverter = fields.dataConverter;
    this.demo = fields.demo;
    this.postgresGate = fields.postgresGate;
    this.temporalGate = fields.temporalGate;
    this.#parts = fields.parts;
    this.#redis = fields.redis;
    this.#workerEnv = fields.workerEnv;
    this.#ownerUrl = fields.ownerUrl;
    this.#dir = fields.dir;
  }

  static async start(settings: { env?: Record<string, string> } = {}): Promise<CallStage> {
    const parts = new AsyncDisposableStack();
    try {
      const shared = sharedParts();
      const dir = await mkdtemp(join(tmpdir(), 'holdfast-call-'));
      parts.defer(() => rm(dir, { recursive: true, force: true }));
      const database = parts.use(await migratedDatabase());
      const redisServer = parts.use(await startRedis({ parts: shared.parts, dir, logFile: join(dir, 'redis.log'), port: 0 }));
      const redis = new Redis(redisServer.url);
      parts.defer(() => redis.disconnect());
      const keys = { encryption: randomBytes(32), numberHash: randomBytes(32) };
      const db = parts.use(await Database.open({ url: database.appUrl }));
      const demo = await seedDemo({ db, vault: new NumberVault(keys) });
      const url = new URL(database.appUrl);
      const postgresGate = parts.use(await startTcpGate({ host: url.hostname, port: Number(url.port) }));
      const [host = '', port] = shared.temporal.address.split(':');
      const temporalGate = parts.use(await startTcpGate({ host, port: Number(port) }));
      url.hostname = '127.0.0.1';
      url.port = String(postgresGate.port);
      const connection = await Connection.connect({ address: shared.temporal.address });
      parts.defer(() => connection.close());
      const taskQueue = `calls-${randomBytes(4).toString('hex')}`;
      const workerEnv = {
        PATH: process.env['PATH'] ?? '',
        APP_ENV: 'development',
        DATABASE_URL: url.href,
        REDIS_URL: redisServer.url,
        TEMPORAL_ADDRESS: `127.0.0.1:${temporalGate.port}`,
        TEMPORAL_TASK_QUEUE: taskQueue,
        MEDIA_CONTROL_SECRET: CONTROL_SECRET,
        JANITOR_INTERVAL_SECONDS: '0',
        DATA_ENCRYPTION_KEY: keys.encryption.toString('base64'),
        NUMBER_HASH_KEY: keys.numberHash.toString('base64'),
        ...settings.env,
      };
      const dataConverter = encryptedDataConverter(keys);
      const client = new Client({ connection, dataConverter });
      return new CallStage({
        client,
        dataConverter,
        taskQueue,
        demo,
        postgresGate,
        temporalGate,
        parts,
        redis,
        workerEnv,
        ownerUrl: database.ownerUrl,
        dir,
      });
    } catch (error) {
      await parts.disposeAsync();
      throw error;
    }
  }

  get redisUrl(): string {
    return this.#workerEnv['REDIS_URL'] ?? '';
  }

  get taskQueue(): string {
    return this.#taskQueue;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }

  /** The real worker process, of this project or of another version of it. It may also be stopped or killed by the test. */
  async worker(project: string = root): Promise<Child> {
    const logFile = join(this.#dir, `worker-${++this.#workers}.log`);
    const child = await startChild({
      name: 'worker',
      command: [process.execPath, join(project, 'src/bin/worker.ts')],
      env: this.#workerEnv,
      cwd: this.#dir,
      logFile,
      ready: async () => (await readFile(logFile, 'utf8')).includes('"event":"started"'),
      stopTimeoutMs: 20_000,
    });
    this.#parts.use(child);
    return child;
  }

  /** The real API process, behind the same gates as the workers. @param env what it needs besides. */
  async api(env: Record<string, string> = {}): Promise<StageApi> {
    const logFile = join(this.#dir, `api-${++this.#workers}.log`);
    const port = await freePort();
    const child = await startChild({
      name: 'api',
      command: [process.execPath, join(root, 'src/bin/api.ts')],
      env: { ...this.#workerEnv, API_PORT: String(port), TELEPHONY_WEBHOOK_SECRET: WEBHOOK_SECRET, ...env },
      cwd: this.#dir,
      logFile,
      ready: async () => (await readFile(logFile, 'utf8')).includes('"event":"started"'),
      stopTimeoutMs: 20_000,
    });
    this.#parts.use(child);
    return { child, url: `http://127.0.0.1:${port}`, logFile };
  }

  /** As the dialplan does, for one of its tries. */
  announce(api: StageApi, call: AdmitRequest & { readonly pbxCallId: string }): Promise<Answer<InboundWebhookResponse>> {
    const body = {
      caller_number: '+12025550199',
      called_number: call.calledNumber,
      call_id: call.pbxCallId,
      timestamp: Math.floor(Date.now() / 1_000),
      channel_id: call.channelId,
    };
    const headers = { authorization: `Bearer ${WEBHOOK_SECRET}` };
    return ask<InboundWebhookResponse>(`${api.url}${INBOUND_WEBHOOK_PATH}`, { method: 'POST', body, headers });
  }

  /** A call as the PBX knows it, with the id that it gets. */
  arrival(calledNumber: string = this.demo.did): AdmitRequest & { readonly pbxCallId: string } {
    const pbxCallId = `pbx-${randomBytes(6).toString('hex')}`;
    return { ...this.request(calledNumber), callRecordId: callRecordIdFor(pbxCallId), pbxCallId };
  }

  /**
   * A node that is announced until it is disposed.
   * @param id of two nodes the one that comes first in the alphabet gets the call.
   * @param tap of a gate between the workers and the node.
   */
  async mediaNode(script: Script, id?: string, tap?: TcpGate['tap']): Promise<ScriptedMediaNode> {
    const node = await ScriptedMediaNode.start(script, id);
    const gate = tap === undefined ? null : await gateBefore(node, tap);
    const key = `${NODE_KEY_PREFIX}${node.node.id}`;
    await putNode(this.#redis, node.node, 600_000);
    const dispose = node[Symbol.asyncDispose].bind(node);
    node[Symbol.asyncDispose] = async () => {
      await this.#redis.del(key);
      await dispose();
      await gate?.[Symbol.asyncDispose]();
    };
    return node;
  }

  request(calledNumber: string = this.demo.did): AdmitRequest {
    return {
      callRecordId: randomUUID(),
      channelId: `test-${randomBytes(4).toString('hex')}.1`,
      calledNumber,
      sealedCallerNumber: null,
      arrivedAt: new Date().toISOString(),
    };
  }

  /** As the webhook does. @throws HoldfastError admission_timeout */
  async admit(request: AdmitRequest, withinMs = 10_000): Promise<InboundWebhookResponse> {
    const { address, namespace } = sharedParts().temporal;
    await using gateway = TemporalCallGateway.open({
      address,
      namespace,
      taskQueue: this.#taskQueue,
      dataConverter: this.#dataConverter,
      admitTimeoutMs: withinMs,
    });
    return await gateway.admit(request);
  }

  /** Starts the workflow without the update, as when the webhook died between the two. */
  async startWithoutUpdate(request: AdmitRequest): Promise<void> {
    await this.client.workflow.start(INBOUND_CALL_WORKFLOW, {
      workflowId: workflowIdFor(request.callRecordId),
      taskQueue: this.#taskQueue,
      args: [request],
      workflowTaskTimeout: '3s',
    });
  }

  handle(request: AdmitRequest): WorkflowHandle {
    return this.client.workflow.getHandle(workflowIdFor(request.callRecordId));
  }

  /** Names of the events, in order. */
  async history(request: AdmitRequest): Promise<string[]> {
    const { events } = await this.handle(request).fetchHistory();
    return (events ?? []).map((event) => event.attributes ?? 'unknown');
  }

  /** The history as Temporal stores it: whoever may read it without the keys sees this, bytes as text. */
  async rawHistory(request: AdmitRequest): Promise<string> {
    const { events } = await this.handle(request).fetchHistory();
    return (events ?? [])
      .map((event) => Buffer.from(proto.temporal.api.history.v1.HistoryEvent.encode(event).finish()).toString('latin1'))
      .join('\n');
  }

  /** For a test that keeps the history for later: readable, as if nothing had been sealed. */
  async saveHistory(shape: string, request: AdmitRequest): Promise<void> {
    await this.saveHistoryOf(shape, this.handle(request));
  }

  async saveHistoryOf(shape: string, handle: WorkflowHandle): Promise<void> {
    await saveHistory(shape, { handle, codec: this.#dataConverter.codec });
  }

  /** What Temporal's UI shows as the call's details. */
  async details(request: AdmitRequest): Promise<string> {
    const { currentDetails } = await this.handle(request).query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    return currentDetails ?? '';
  }

  async attributes(request: AdmitRequest): Promise<Record<string, unknown>> {
    const { typedSearchAttributes } = await this.handle(request).describe();
    return Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  }

  async outcome(request: AdmitRequest): Promise<CallOutcome> {
    return (await this.handle(request).result()) as CallOutcome;
  }

  turns(request: AdmitRequest): Promise<StoredTurn[]> {
    return this.#rows('select sequence, speaker, text from call_turns where call_id = $1 order by sequence', [request.callRecordId]);
  }

  async call(request: AdmitRequest): Promise<Record<string, unknown> | undefined> {
    const sql =
      'select status, disposition, reason, media_node, answered_at, ended_at, usage, admitted_by, workflow_started_at from calls where id = $1';
    return (await this.#rows(sql, [request.callRecordId]))[0];
  }

  /** How many calls the demo tenant may have at once. */
  async limitCalls(limit: number): Promise<void> {
    const sql = 'update tenants set max_concurrent_calls = $1 where id = $2';
    await runSql(this.#ownerUrl, `set app.platform = 'on'`, { sql, values: [limit, this.demo.tenantId] });
  }

  async deleteCall(request: AdmitRequest): Promise<void> {
    await this.#rows('delete from calls where id = $1', [request.callRecordId]);
  }

  bookings(request: AdmitRequest): Promise<Record<string, unknown>[]> {
    return this.#rows('select starts_at from bookings where source_call_id = $1', [request.callRecordId]);
  }

  toolRuns(request: AdmitRequest): Promise<Record<string, unknown>[]> {
    return this.#rows('select key, status from tool_runs where call_id = $1 order by key', [request.callRecordId]);
  }

  /** Row-level security holds for the owner of the tables, too. */
  #rows<Row extends Record<string, unknown>>(sql: string, values: unknown[]): Promise<Row[]> {
    return runSql<Row>(
      this.#ownerUrl,
      { sql: `select set_config('app.tenant_id', $1, false)`, values: [this.demo.tenantId] },
      { sql, values },
    );
  }
}

async function gateBefore(node: ScriptedMediaNode, tap: TcpGate['tap']): Promise<TcpGate> {
  const gate = await startTcpGate({ host: '127.0.0.1', port: Number(new URL(node.node.controlUrl).port) });
  gate.tap = tap;
  node.node.controlUrl = `ws://127.0.0.1:${gate.port}`;
  return gate;
}
