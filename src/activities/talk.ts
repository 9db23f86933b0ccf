/**
 * One talk over any number of media nodes. A node that dies, hangs, or is leaving is followed by
 * another one under a higher epoch, without a word to Temporal: that must work while Temporal is away,
 * and the caller is waiting.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallPlan } from '../contracts/call-plan.ts';
import type { ConverseResult } from '../contracts/call-workflow.ts';
import type { ResumePoint } from '../contracts/checkpoint.ts';
import type { MediaNode } from '../contracts/media-node.ts';
import { carries } from '../contracts/twilio.ts';
import { HoldfastError, type ErrorCode } from '../domain/errors.ts';
import type { TalkDeps, Recalled } from './deps.ts';
import { NodeLink } from './node-link.ts';
import type { EndedEvent, Relay } from './relay.ts';

/** Why a talk should be left before it ends by itself. */
export interface StopWish {
  /** Resolves with a cause when the call should end politely. */
  readonly hangup: Promise<string>;
  /** Rejects when this attempt must let go and leave the talk to another one. */
  readonly leave: Promise<never>;
}

export interface TalkOptions {
  readonly deps: TalkDeps;
  readonly plan: CallPlan;
  readonly relay: Relay;
  readonly stop: StopWish;
  /** An earlier attempt, or another activity, has held this talk: others may know more than this one was told. */
  readonly begun: boolean;
  /** Another node holds the call now; what is to be written about that can wait until the caller hears it (Relay.recordNode). */
  readonly onMoved: () => void;
  /** What has to be done at the end while the node can still be told what is durable. */
  readonly onEnded: (ended: EndedEvent) => Promise<ConverseResult>;
}

/** A caller waits in silence: a node that is being started again needs about a second. */
const REFUGE_WITHIN_MS = 20_000;
const PAUSE_MS = 50;
/** Where there is no other node, the lost one is tried again: it may only have been slow, and still hold the talk. */
const SAME_AGAIN_MS = 500;
/** A leaving node keeps its call while no other one is there; asked again after this. */
const HANDOVER_PAUSE_MS = 500;
/** What another process may know is worth this much of the caller's silence. */
const RECALL_MS = 300;
/** A tool that is running when this attempt lets go may still deliver its answer. */
const TOOLS_SETTLE_MS = 2_000;
/** What the control socket carries easily. */
const MAX_TRANSCRIPT = 400;

/** Another node may do what this one cannot. */
const elsewhere: readonly ErrorCode[] = ['media_node_lost', 'media_node_full', 'media_node_draining'];

/** @throws HoldfastError no_media_node when the call found no refuge; stale_epoch when somebody else holds it. */
export async function holdTalk(options: TalkOptions): Promise<ConverseResult> {
  const { deps, plan, relay, stop } = options;
  let hangupReason: string | null = null;
  let link: NodeLink | null = null;
  void stop.hangup.then((reason) => {
    hangupReason = reason;
    link?.hangup(reason);
  });
  if (options.begun) await findOwner(options);
  let resume: ResumePoint | null = null;
  for (;;) {
    const { node, epoch } = relay.progress;
    const toldSoFar = resume === null ? plan : { ...plan, transcript: relay.transcript.slice(-MAX_TRANSCRIPT) };
    link = new NodeLink({ node, epoch, plan: toldSoFar, resume, relay, secret: deps.controlSecret });
    if (hangupReason !== null) link.hangup(hangupReason);
    try {
      const ended = await Promise.race([link.ended, stop.leave, handedOver(options, link)]);
      if (ended !== 'handover') return await options.onEnded(ended);
    } catch (error) {
      if (!(error instanceof HoldfastError) || !elsewhere.includes(error.code)) {
        // Letting go, this attempt still waits for its tools: their answers are worth a moment.
        await relay.tools.idle(TOOLS_SETTLE_MS);
        throw error;
      }
      deps.logger.warn({ callId: plan.callId, code: error.code, node: node.id, epoch }, 'The call needs another media node');
    } finally {
      link.close();
    }
    deps.nodes.avoid(node.instance);
    await Promise.race([moveOn(options), stop.leave]);
    resume = relay.resumePoint;
  }
}

/** Resolves when the node has asked to leave and there is another one. */
async function handedOver({ deps, plan, relay }: TalkOptions, link: NodeLink): Promise<'handover'> {
  await link.handoverAsked;
  deps.nodes.avoid(relay.progress.node.instance);
  // The link's own end wins the race this one is in, and then nobody waits for it.
  const over = new AbortController();
  link.ended.finally(() => over.abort()).catch(() => undefined);
  while (!over.signal.aborted && deps.nodes.refuge(carriers(await deps.nodes.live(), plan)) === null) await sleep(HANDOVER_PAUSE_MS);
  return over.signal.aborted ? new Promise<never>(() => undefined) : 'handover';
}

/** Takes the next node, under the next epoch. All that is known of the talk is known here: nobody else is asked while the caller waits. */
async function moveOn({ deps, plan, relay, onMoved }: TalkOptions): Promise<void> {
  relay.moveTo(await refuge(deps, plan), relay.progress.epoch + 1);
  onMoved();
}

const carriers = (nodes: readonly MediaNode[], { channelId }: CallPlan): MediaNode[] => nodes.filter((node) => carries(node, channelId));

async function refuge({ nodes }: TalkDeps, plan: CallPlan): Promise<MediaNode> {
  const deadline = performance.now() + REFUGE_WITHIN_MS;
  const sameAgainAt = performance.now() + SAME_AGAIN_MS;
  for (;;) {
    const there = performance.now() < sameAgainAt ? await nodes.live() : await nodes.announced();
    const node = nodes.refuge(carriers(there, plan));
    if (node !== null) return node;
    if (performance.now() > deadline) throw new HoldfastError('no_media_node', 'No media node is left to take the call over');
    await sleep(PAUSE_MS);
  }
}

/** An earlier attempt may have moved the call since its last heartbeat; Redis knows who holds it. */
async function findOwner({ deps, plan, relay }: TalkOptions): Promise<void> {
  const memory = await recalled(deps, plan);
  if (memory === null) return;
  relay.learn(memory);
  const { owner } = memory;
  if (owner === null || owner.epoch <= relay.progress.epoch) return;
  const node = (await deps.nodes.live()).find(({ instance }) => instance === owner.instance);
  // Its owner is dead as well: the next one's epoch has to be higher than both.
  relay.moveTo(node ?? relay.progress.node, owner.epoch);
}

async function recalled(deps: TalkDeps, plan: CallPlan): Promise<Recalled | null> {
  const timeUp = new AbortController();
  const late = sleep(RECALL_MS, null, { signal: timeUp.signal }).catch(() => null);
  const memory = await Promise.race([deps.recall(plan).catch(() => null), late]);
  timeUp.abort();
  return memory;
}
