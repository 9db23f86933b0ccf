/** A Temporal worker for calls: connection, sandboxed workflow code, and the numbers that suit a phone call. */
import type { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection, Runtime, Worker, type Logger as TemporalLogger, type LogLevel, type WorkerOptions } from '@temporalio/worker';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Activities } from '../src/activities/create-activities.ts';
import { HoldfastError } from '../src/domain/errors.ts';
import { errorFacts, type Logger } from '../src/telemetry.ts';
import { loadWorkflowBundle } from './workflow-bundle.ts';

export interface CallWorkerOptions {
  readonly temporal: { readonly address: string; readonly namespace: string; readonly taskQueue: string };
  readonly activities: Activities;
  /** Seals what the worker hands to Temporal. */
  readonly dataConverter: DataConverter;
  readonly logger: Logger;
  /** How long Temporal may take to come up. */
  readonly connectWithinMs?: number;
}

export interface CallWorker {
  /** Over the worker's own connection; usable until `stop`. */
  readonly client: Client;
  /** Rejects when the worker breaks; resolves after `stop`. */
  readonly done: Promise<void>;
  /** Talks in progress go on in their media nodes and are picked up by another worker, or by this one when it is back. */
  stop(): Promise<void>;
}

const CONNECT_WITHIN_MS = 30_000;
const CONNECT_PAUSE_MS = 500;

const tuning = {
  // Every live call is one long activity; the plans' limits and the nodes' capacities bound them, not this.
  maxConcurrentActivityTaskExecutions: 500,
  maxConcurrentLocalActivityExecutions: 100,
  maxConcurrentWorkflowTaskExecutions: 40,
  maxCachedWorkflows: 600,
  // New calls come over the normal queue, and a caller is waiting: the default gives it two of ten pollers.
  maxConcurrentWorkflowTaskPolls: 10,
  nonStickyToStickyPollRatio: 0.5,
  maxConcurrentActivityTaskPolls: 5,
  // After a worker's death its sticky tasks wait this long before another worker gets them.
  stickyQueueScheduleToStartTimeout: 2_000,
  // A hang-up by an operator reaches the talk with the next heartbeat.
  maxHeartbeatThrottleInterval: 1_000,
  // Above 0, so that short activities finish; then the talks are told to let go and hand over.
  shutdownGraceTime: 500,
  shutdownForceTime: 15_000,
} as const satisfies Partial<WorkerOptions>;

/** @throws HoldfastError dependency_unavailable when Temporal, or the namespace, is not there within connectWithinMs. */
export async function startCallWorker(options: CallWorkerOptions): Promise<CallWorker> {
  const { temporal, activities, dataConverter, logger } = options;
  installRuntime(logger);
  const bundled = loadWorkflowBundle(temporalLogger(logger, 'WARN'));
  const connection = await connectTemporal(options);
  try {
    const { namespace, taskQueue } = temporal;
    const workflowBundle = await bundled;
    const worker = await Worker.create({ connection, namespace, taskQueue, activities, dataConverter, workflowBundle, ...tuning });
    const done = runAndClose(worker, connection);
    done.catch(() => undefined);
    const { client } = worker;
    if (client === undefined) throw new Error('A worker that is no replay has a client');
    return {
      client,
      done,
      async stop() {
        if (worker.getState() === 'RUNNING') worker.shutdown();
        await done;
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function runAndClose(worker: Worker, connection: NativeConnection): Promise<void> {
  try {
    await worker.run();
  } finally {
    await connection.close();
  }
}

/** Temporal may still be starting, or be replaced at this moment: a worker waits a while before it gives up. */
async function connectTemporal({ temporal, logger, connectWithinMs = CONNECT_WITHIN_MS }: CallWorkerOptions): Promise<NativeConnection> {
  const deadline = Date.now() + connectWithinMs;
  for (let told = false; ; told = true) {
    try {
      // No gzip: on a LAN it costs processor time and saves nothing.
      const connection = await NativeConnection.connect({ address: temporal.address, grpcCompression: { codec: 'none' } });
      try {
        await connection.withDeadline(Date.now() + 3_000, () =>
          connection.workflowService.describeNamespace({ namespace: temporal.namespace }),
        );
        return connection;
      } catch (error) {
        await connection.close();
        throw error;
      }
    } catch (cause) {
      if (Date.now() > deadline) {
        const message = `Temporal cannot be reached at ${temporal.address}, namespace ${temporal.namespace} (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE)`;
        throw new HoldfastError('dependency_unavailable', message, { retryable: true, cause });
      }
      if (!told) logger.info({ event: 'waiting_for_temporal', address: temporal.address }, 'Waiting for Temporal');
      await sleep(CONNECT_PAUSE_MS);
    }
  }
}

/** Once per process. Signals are the process's own business. */
function installRuntime(logger: Logger): void {
  if (Runtime._instance !== undefined) return;
  Runtime.install({
    logger: temporalLogger(logger, 'INFO'),
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
  });
}

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
const order: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'];

function temporalLogger(logger: Logger, least: LogLevel): TemporalLogger {
  const log = (level: LogLevel, message: string, meta: Record<string | symbol, unknown> = {}): void => {
    if (order.indexOf(level) < order.indexOf(least)) return;
    const { workflowId, activityType, attempt, error, sdkComponent } = meta as Record<string, unknown>;
    logger[levels[level]](
      { sdkComponent, workflowId, activityType, attempt, ...(error === undefined ? {} : { error: errorFacts(error) }) },
      message,
    );
  };
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}
