/**
 * One attempt to hold a call's talk: attach to the media node's session, relay, heartbeat, find
 * another node when it is lost, and come back with the account. The talk itself does not need this
 * process; when the attempt dies, the next one attaches to the same session and reads what was missed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { CallPlan } from '../contracts/call-plan.ts';
import type { ConverseRequest, ConverseResult } from '../contracts/call-workflow.ts';
import { errorFacts } from '../telemetry.ts';
import type { ActivityDeps } from './deps.ts';
import { finalizeCall } from './finalize-call.ts';
import { progressFrom } from './progress.ts';
import { Relay, type EndedEvent } from './relay.ts';
import { TurnSignaller } from './signal-turns.ts';
import { watchStop } from './stop-wish.ts';
import { holdTalk } from './talk.ts';

const HEARTBEAT_MS = 500;
/** After the talk PostgreSQL gets this long; what it has not taken travels on to finalizeCall. */
const SETTLE_MS = 5_000;
/** What is left then is the workflow's. */
const RECORD_END_MS = 2_000;

export async function converse(deps: ActivityDeps, request: ConverseRequest): Promise<ConverseResult> {
  const context = Context.current();
  const before = progressFrom(context.info.heartbeatDetails, request);
  const { plan } = request;
  const relay = new Relay({ deps, plan, before, nowMs: Date.now });
  const signaller = new TurnSignaller(context, relay, deps.logger);
  const beat = setInterval(() => {
    context.heartbeat(relay.progress);
    if (relay.ended === null) void signaller.signalWhenDue(Date.now());
  }, HEARTBEAT_MS);
  context.heartbeat(relay.progress);
  const stop = watchStop(context, request.hangup);
  try {
    const begun = context.info.attempt > 1 || request.hangup !== null || request.epoch > 1;
    const onMoved = (): void => signaller.signalSoon(Date.now());
    const onEnded = async (ended: EndedEvent): Promise<ConverseResult> => {
      relay.recordNode();
      const result = relay.result(ended, await relay.writer.settle(SETTLE_MS));
      await recordEnd(deps, plan, result);
      return result;
    };
    return await holdTalk({ deps, plan, relay, stop, begun, onMoved, onEnded });
  } finally {
    clearInterval(beat);
    relay.writer.stop();
  }
}

/**
 * The workflow will see to it as well, until it succeeds. Here it is written because the way through
 * Temporal may be lost: a server that was away takes no result of an attempt that it has given up.
 */
async function recordEnd(deps: ActivityDeps, { callId, tenantId }: CallPlan, result: ConverseResult): Promise<void> {
  if (result.unstoredTurns.length > 0) return;
  const written = finalizeCall(deps, { ...result, callId, tenantId }).catch((error: unknown) => {
    deps.logger.warn({ callId, ...errorFacts(error) }, 'the end of the call waits for its workflow');
  });
  const timeUp = new AbortController();
  await Promise.race([written, sleep(RECORD_END_MS, undefined, { signal: timeUp.signal }).catch(() => undefined)]);
  timeUp.abort();
}
