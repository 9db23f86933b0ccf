/** The one file that talks to Temporal as a client: admits calls, and asks running ones to end. */
import {
  Client,
  Connection,
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, type DataConverter } from '@temporalio/common';
import {
  ADMIT_UPDATE,
  HANGUP_UPDATE,
  SAY_UPDATE,
  TRANSFER_UPDATE,
  INBOUND_CALL_WORKFLOW,
  workflowIdFor,
  type AdmitRequest,
  type HangupRequest,
  type HangupResponse,
  type SteerResponse,
} from '../contracts/call-workflow.ts';
import { inboundWebhookResponse, type InboundWebhookResponse } from '../contracts/telephony-webhook.ts';
import { HoldfastError } from '../domain/errors.ts';
import type { SteerCommand } from '../domain/steering.ts';

/** What an operator who opens a call in Temporal's UI needs to know first. */
const STATIC_DETAILS = [
  '**Current Details** shows the state, the media node and the latest turns; **Pending Activities** is as fresh as the last second.',
  '',
  '- Have the agent say something: *Send an Update* `say` with `{"text": "…"}`; send the caller elsewhere: `transfer` with `{"to": "sip:user@host"}`.',
  '- End the call politely: *Send an Update* `hangup` with `{"reason": "operator"}`, or *Request Cancellation*.',
  '- *Terminate* is the last resort: the workflow can then no longer close the record itself.',
  "- The caller's number is not here on purpose: the REST API shows it, masked, to its tenant.",
].join('\n');

export interface CallGateway {
  /**
   * The same call id always gets the same answer, and is one workflow.
   * @throws HoldfastError admission_timeout (retryable) when Temporal or its workers are too slow or the
   * records could not be reached; dependency_unavailable (retryable) when Temporal cannot be reached.
   */
  admit(request: AdmitRequest): Promise<InboundWebhookResponse>;
  /** @throws HoldfastError not_found, conflict (the call is over), dependency_unavailable. */
  hangup(callRecordId: string, reason: string): Promise<void>;
  /**
   * Resolves once the media node has taken the wish in.
   * @throws HoldfastError not_found, conflict, invalid_request, transfer_forbidden, dependency_unavailable (retryable).
   */
  steer(call: { readonly callId: string; readonly tenantId: string }, command: SteerCommand): Promise<void>;
  /** @throws when Temporal does not answer within the time. */
  ping(timeoutMs: number): Promise<void>;
}

export interface TemporalGatewayOptions {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Seals what goes to Temporal. */
  readonly dataConverter: DataConverter;
  /** Deadline of the webhook's one call. */
  readonly admitTimeoutMs: number;
  readonly hangupTimeoutMs?: number;
  readonly onTenantKnown?: (workflowId: string, tenantId: string) => void;
}

const CONNECT_TIMEOUT_MS = 3_000;
const HANGUP_TIMEOUT_MS = 3_000;
/** By default gRPC waits up to two minutes before it tries a server again that was away. */
const RECONNECT_MAX_MS = 1_000;
/** The workflow itself gives up a little earlier. */
const STEER_TIMEOUT_MS = 6_000;
/** A worker that dies with a task in its hands is missed for no longer than this; the default is 10 s. */
const WORKFLOW_TASK_TIMEOUT_MS = 3_000;

export class TemporalCallGateway implements CallGateway, AsyncDisposable {
  readonly #connection: Connection;
  readonly #client: Client;
  readonly #options: TemporalGatewayOptions;

  private constructor(connection: Connection, options: TemporalGatewayOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#client = new Client({ connection, namespace: options.namespace, dataConverter: options.dataConverter });
  }

  /** Connects at the first use: the API starts, and says so in /healthz, while Temporal is away. */
  static open(options: TemporalGatewayOptions): TemporalCallGateway {
    const { address } = options;
    const channelArgs = { 'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS };
    return new TemporalCallGateway(Connection.lazy({ address, connectTimeout: CONNECT_TIMEOUT_MS, channelArgs }), options);
  }

  /**
   * Like open, but not with a namespace that the server does not know. A server that does not answer is
   * no reason to stay away: calls are admitted without it.
   * @throws HoldfastError dependency_unavailable naming the address.
   */
  static async connect(options: TemporalGatewayOptions): Promise<TemporalCallGateway> {
    const gateway = TemporalCallGateway.open(options);
    try {
      await gateway.ping(CONNECT_TIMEOUT_MS);
      return gateway;
    } catch (cause) {
      if (grpcStatus(cause) !== grpc.notFound) return gateway;
      await gateway[Symbol.asyncDispose]();
      const message = `Temporal cannot be reached at ${options.address}, namespace "${options.namespace}" (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE)`;
      throw new HoldfastError('dependency_unavailable', message, { retryable: true, cause });
    }
  }

  async admit(request: AdmitRequest): Promise<InboundWebhookResponse> {
    const start = new WithStartWorkflowOperation(INBOUND_CALL_WORKFLOW, {
      workflowId: workflowIdFor(request.callRecordId),
      taskQueue: this.#options.taskQueue,
      args: [request],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
      staticSummary: 'Inbound call',
      staticDetails: STATIC_DETAILS,
    });
    // It rejects with the update; unobserved, that would end the process.
    start.workflowHandle().catch(() => undefined);
    const answer = await this.#within(this.#options.admitTimeoutMs, () =>
      this.#client.workflow.executeUpdateWithStart<never, InboundWebhookResponse, []>(ADMIT_UPDATE, {
        // Constant, so that a webhook sent again meets the first one's update, even after the call.
        updateId: ADMIT_UPDATE,
        startWorkflowOperation: start as never,
      }),
    );
    return inboundWebhookResponse.parse(answer);
  }

  async hangup(callRecordId: string, reason: string): Promise<void> {
    const handle = this.#client.workflow.getHandle(workflowIdFor(callRecordId));
    await this.#within(this.#options.hangupTimeoutMs ?? HANGUP_TIMEOUT_MS, () =>
      handle.executeUpdate<HangupResponse, [HangupRequest]>(HANGUP_UPDATE, { args: [{ reason }] }),
    );
  }

  async steer({ callId, tenantId }: { callId: string; tenantId: string }, command: SteerCommand): Promise<void> {
    const workflowId = workflowIdFor(callId);
    // Nothing that this process sends names the tenant, under whose key it is to be sealed.
    this.#options.onTenantKnown?.(workflowId, tenantId);
    const { kind, ...argument } = command;
    const handle = this.#client.workflow.getHandle(workflowId);
    const update = kind === 'say' ? SAY_UPDATE : TRANSFER_UPDATE;
    await this.#within(STEER_TIMEOUT_MS, () => handle.executeUpdate<SteerResponse, [object]>(update, { args: [argument] }));
  }

  async ping(timeoutMs: number): Promise<void> {
    await this.#connection.withDeadline(Date.now() + timeoutMs, () =>
      this.#connection.workflowService.describeNamespace({ namespace: this.#options.namespace }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  async #within<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#connection.withDeadline(Date.now() + timeoutMs, work);
    } catch (error) {
      throw gatewayError(error);
    }
  }
}

/** gRPC status numbers, https://grpc.io/docs/guides/status-codes/ */
const grpc = { cancelled: 1, deadlineExceeded: 4, notFound: 5, unavailable: 14 } as const;

/** Temporal's errors → ours; a workflow's own refusal carries our code as its type. */
export function gatewayError(error: unknown): unknown {
  if (error instanceof WorkflowNotFoundError) return new HoldfastError('not_found', 'No such call is running', { cause: error });
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return timedOut(error);
  if (error instanceof WorkflowUpdateFailedError) return fromWorkflow(error);
  const status = grpcStatus(error);
  if (status === grpc.deadlineExceeded || status === grpc.cancelled) return timedOut(error);
  if (status === grpc.unavailable) return unavailable(error);
  return error;
}

function fromWorkflow(error: WorkflowUpdateFailedError): HoldfastError {
  const type = error.cause instanceof ApplicationFailure ? error.cause.type : undefined;
  if (type === 'conflict') return new HoldfastError('conflict', 'The call has ended already', { cause: error });
  if (type === 'invalid_request') return new HoldfastError('invalid_request', 'The running call refused this request', { cause: error });
  if (type === 'transfer_forbidden') return new HoldfastError(type, 'Calls may not be transferred to that host', { cause: error });
  if (type === 'channel_missing') return new HoldfastError('conflict', 'The call has not been answered yet', { cause: error });
  if (type === 'media_node_lost')
    return new HoldfastError('dependency_unavailable', 'The media node could not be reached', { retryable: true, cause: error });
  // It has been reached, and has decided: asking it again is of no use.
  return new HoldfastError('admission_timeout', 'The call could not be admitted in time', {
    retryable: true,
    cause: error,
    details: { answered: true },
  });
}

const timedOut = (cause: unknown): HoldfastError =>
  new HoldfastError('admission_timeout', 'The call could not be handled in time', { retryable: true, cause });
const unavailable = (cause: unknown): HoldfastError =>
  new HoldfastError('dependency_unavailable', 'Temporal cannot be reached', {
    retryable: true,
    cause,
    details: { dependency: 'temporal' },
  });

function grpcStatus(error: unknown): number | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (isGrpcServiceError(at)) return at.code;
  }
  return undefined;
}
