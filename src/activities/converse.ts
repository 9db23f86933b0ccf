/**
 * One attempt to hold a call's talk: attach to the media node's session, relay, heartbeat, and
 * come back with the account. The talk itself does not need this process; when the attempt dies,
 * the next one attaches to the same session and reads what was missed.
 */
import { Context } from '@temporalio/activity';
import type { ConverseRequest, ConverseResult } from '../contracts/call-workflow.ts';
import type { ActivityDeps } from './deps.ts';
import { finalizeCall } from './finalize-call.ts';
import { NodeLink } from './node-link.ts';
import { progressFrom } from './progress.ts';
import { Relay, type EndedEvent } from './relay.ts';
import { TurnSignaller } from './signal-turns.ts';
import { watchStop, type StopWish } from './stop-wish.ts';

const HEARTBEAT_MS = 500;
/** After the talk PostgreSQL gets this long; what it has not taken travels on to finalizeCall. */
const SETTLE_MS = 5_000;
/** A tool that is running when this attempt lets go may still deliver its answer. */
const TOOLS_SETTLE_MS = 2_000;

export async function converse(deps: ActivityDeps, request: ConverseRequest): Promise<ConverseResult> {
  const context = Context.current();
  const before = progressFrom(context.info.heartbeatDetails, request.epoch);
  if (before.result !== null) return before.result;
  const { plan } = request;
  const relay = new Relay({ deps, plan, before, nowMs: Date.now });
  const signaller = new TurnSignaller(context, relay, deps.logger);
  let result: ConverseResult | null = null;
  const beat = setInterval(() => {
    context.heartbeat({ ...relay.progress, result });
    if (result === null) void signaller.signalWhenDue(Date.now());
  }, HEARTBEAT_MS);
  context.heartbeat(relay.progress);
  const stop = watchStop(context, request.hangup);
  const link = new NodeLink({ request, relay, secret: deps.controlSecret });
  try {
    const ended = await endOf(link, relay, stop);
    result = relay.result(ended, await relay.writer.settle(SETTLE_MS));
    context.heartbeat({ ...relay.progress, result });
    if (stop.orphaned) await finalizeCall(deps, { ...result, callId: plan.callId, tenantId: plan.tenantId });
    relay.releaseNode();
    return result;
  } finally {
    clearInterval(beat);
    relay.writer.stop();
    link.close();
  }
}

async function endOf(link: NodeLink, relay: Relay, stop: StopWish): Promise<EndedEvent> {
  void stop.hangup.then((reason) => link.hangup(reason));
  try {
    return await Promise.race([link.ended, stop.leave]);
  } catch (error) {
    await relay.tools.idle(TOOLS_SETTLE_MS);
    throw error;
  }
}
