/** One look at everything. What cannot be seen is null, never empty. */
import { worldParts, type WorldPart } from '../../contracts/janitor.ts';
import type { MediaNode } from '../../contracts/media-node.ts';
import type { Inventory } from '../../contracts/pbx-inventory.ts';
import type { PbxView, SeenSession, World } from '../../domain/world.ts';
import { errorFacts } from '../../telemetry.ts';
import type { JanitorDeps } from './deps.ts';
import { takeInventory } from './node-client.ts';
import type { TemporalView } from './temporal-view.ts';

export interface Look {
  readonly world: World;
  readonly unseen: readonly WorldPart[];
  /** Which node told of a channel, bridge or session, and can do something about it. */
  readonly teller: ReadonlyMap<string, MediaNode>;
}

/**
 * The order matters: records and PBX first, then who serves them. What is there was made by somebody
 * who existed before it, so a look never shows a new call without its keeper.
 */
export async function lookAround(deps: JanitorDeps, temporal: TemporalView): Promise<Look> {
  const atMs = Date.now();
  const seen = <T>(part: string, work: Promise<T>): Promise<T | null> =>
    work.catch((error: unknown) => {
      deps.logger.warn({ event: 'janitor_blind', part, error: errorFacts(error) }, 'The janitor cannot see everything');
      return null;
    });
  const [openCalls, liveStates] = await Promise.all([seen('openCalls', deps.openCalls()), seen('liveStates', deps.liveStates())]);
  const nodes = await seen('nodes', deps.liveNodes());
  const { answers, silentNodes } = await askNodes(deps, nodes ?? []);
  const complete = nodes !== null && nodes.length > 0 && silentNodes.length === 0;
  const teller = new Map<string, MediaNode>();
  const pbx = answers.length === 0 ? null : pbxView(answers, deps, teller);
  const sessions = complete ? sessionsOf(answers, teller) : null;
  const known = [
    ...(openCalls ?? []).map(({ callId }) => callId),
    ...(liveStates ?? []).filter(({ state, expires }) => state !== 'ended' || !expires).map(({ callId }) => callId),
    ...(pbx === null ? [] : [...pbx.callers.filter(({ held }) => held), ...pbx.media, ...pbx.bridges].map(({ callId }) => callId)),
    ...(sessions ?? []).map(({ callId }) => callId),
  ];
  const served = new Set(sessions?.map(({ callId }) => callId));
  const workflows = await seen('workflows', temporal.workflows(known, served));
  const world: World = { atMs, pbx, sessions, silentNodes, openCalls, workflows, liveStates };
  return { world, unseen: worldParts.filter((part) => world[part] === null), teller };
}

interface Answer {
  readonly node: MediaNode;
  readonly inventory: Inventory;
}

async function askNodes(deps: JanitorDeps, nodes: readonly MediaNode[]): Promise<{ answers: Answer[]; silentNodes: string[] }> {
  const answers: Answer[] = [];
  const silentNodes: string[] = [];
  await Promise.all(
    nodes.map(async (node) => {
      try {
        answers.push({ node, inventory: await takeInventory(node, deps.controlSecret) });
      } catch (error) {
        deps.logger.warn({ event: 'node_silent', node: node.id, error: errorFacts(error) }, 'A media node does not tell what it holds');
        silentNodes.push(node.id);
      }
    }),
  );
  return { answers, silentNodes };
}

/** Several nodes of one PBX tell of the same things: the first one is asked to act. */
function pbxView(answers: readonly Answer[], deps: JanitorDeps, teller: Map<string, MediaNode>): PbxView {
  const callOf = new Map(answers.flatMap(({ inventory }) => inventory.sessions.map((session) => [session.channelId, session.callId])));
  /** True for who tells of it first. */
  const news = (id: string, node: MediaNode): boolean => !teller.has(id) && teller.set(id, node).has(id);
  const views = answers.map(({ node, inventory }): PbxView => ({
    callers: inventory.callers
      .filter(({ channelId }) => news(channelId, node))
      .map((caller) => ({ ...caller, callId: callOf.get(caller.channelId) ?? deps.callIdOf(caller.channelId) })),
    media: inventory.media.filter(({ channelId }) => news(channelId, node)),
    bridges: inventory.bridges.filter(({ bridgeId }) => news(bridgeId, node)),
  }));
  return {
    callers: views.flatMap(({ callers }) => callers),
    media: views.flatMap(({ media }) => media),
    bridges: views.flatMap(({ bridges }) => bridges),
  };
}

function sessionsOf(answers: readonly Answer[], teller: Map<string, MediaNode>): SeenSession[] {
  return answers.flatMap(({ node, inventory }) =>
    inventory.sessions.map(({ callId, epoch }) => {
      teller.set(callId, node);
      return { callId, nodeId: node.id, epoch };
    }),
  );
}
