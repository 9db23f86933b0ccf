/** One wish of an operator, brought to the media node that holds the call now. */
import type { SteerRequest } from '../contracts/call-workflow.ts';
import type { NodeMessage } from '../contracts/media-control.ts';
import type { MediaNode } from '../contracts/media-node.ts';
import { steerCommand } from '../contracts/steering.ts';
import { HoldfastError } from '../domain/errors.ts';
import { hostOfSipAddress } from '../domain/steering.ts';
import { openControlSocket } from './control-socket.ts';
import type { ActivityDeps } from './deps.ts';

/** A node answers within milliseconds, or it is being replaced. */
const ANSWER_MS = 1_000;

/**
 * Idempotent by id. @throws HoldfastError transfer_forbidden, invalid_request, conflict (the call is ending), and
 * retryable media_node_lost or channel_missing (not answered yet).
 */
export async function steerCall(deps: ActivityDeps, request: SteerRequest): Promise<void> {
  const parsed = steerCommand.safeParse(request.command);
  if (!parsed.success) throw new HoldfastError('invalid_request', 'The request is not valid');
  const command = parsed.data;
  if (command.kind === 'transfer' && !deps.transferHosts.includes(hostOfSipAddress(command.to)))
    throw new HoldfastError('transfer_forbidden', 'Calls may not be transferred to that host (TRANSFER_ALLOWED_HOSTS)');
  const { callId, id } = request;
  const { node, epoch } = await presentOwner(deps, request);
  const answer = Promise.withResolvers<void>();
  const socket = await openControlSocket({
    url: node.controlUrl,
    secret: deps.controlSecret,
    onMessage: (message: NodeMessage) => {
      if (message.type === 'done' && message.id === id) answer.resolve();
      if (message.type === 'refused') answer.reject(refusal(message));
    },
  });
  const late = setTimeout(() => answer.reject(lost()), ANSWER_MS);
  void socket.closed.then(() => answer.reject(lost()));
  try {
    socket.send({ type: 'command', callId, epoch, id, command });
    await answer.promise;
  } finally {
    clearTimeout(late);
    socket.close();
  }
}

/** A take-over that the workflow has not heard of yet is known to Redis. */
async function presentOwner(deps: ActivityDeps, request: SteerRequest): Promise<{ node: MediaNode; epoch: number }> {
  const memory = await deps.recall(request).catch(() => null);
  const owner = memory?.owner ?? null;
  if (owner === null || owner.epoch <= request.epoch) return request;
  const node = (await deps.nodes.live()).find(({ instance }) => instance === owner.instance);
  return node === undefined ? request : { node, epoch: owner.epoch };
}

const lost = (): HoldfastError => new HoldfastError('media_node_lost', 'The media node does not answer', { retryable: true });

function refusal({ code, message }: Extract<NodeMessage, { type: 'refused' }>): HoldfastError {
  return new HoldfastError(code, message, { retryable: code === 'media_node_lost' || code === 'channel_missing' });
}
