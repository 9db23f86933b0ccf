/** What a process needs that looks after talks, the worker and the API's stand-ins alike: wiring only. */
import type { Redis } from 'ioredis';
import type { Config } from '../config.ts';
import type { Database } from '../db/tenant-scope.ts';
import { finalizeCall, recordAnswered, recordNode, recordTurns } from '../services/calls.ts';
import { recallCall } from '../services/call-memory.ts';
import { NodeChooser, RedisMediaNodes } from '../services/media-nodes.ts';
import type { NumberVault } from '../services/number-vault.ts';
import { runTool } from '../services/tools.ts';
import { errorFacts, type Logger } from '../telemetry.ts';

export interface CallServicesParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly db: Database;
  readonly redis: Redis;
  readonly vault: NumberVault;
}

export function callServices({ config, logger, db, redis, vault }: CallServicesParts) {
  const now = () => new Date();
  const mediaNodes = new RedisMediaNodes(redis, (error) =>
    logger.warn({ event: 'registry_unavailable', error: errorFacts(error) }, 'Using the last known media nodes'),
  );
  const nodeChooser = new NodeChooser();
  return {
    now,
    /** Of admitCall. */
    admission: {
      db,
      vault,
      mediaNodes,
      nodeChooser,
      plan: { conversation: config.conversation, models: config.models },
      maxConcurrentCalls: config.maxConcurrentCalls,
      now,
    },
    /** Of whoever holds a talk. */
    talk: {
      calls: {
        recordAnswered: (call: Parameters<typeof recordAnswered>[1]) => recordAnswered({ db }, call),
        recordNode: (call: Parameters<typeof recordNode>[1]) => recordNode({ db }, call),
        recordTurns: (call: Parameters<typeof recordTurns>[1]) => recordTurns({ db }, call),
        finalizeCall: (call: Parameters<typeof finalizeCall>[1]) => finalizeCall({ db }, call),
      },
      nodes: {
        live: () => mediaNodes.live(),
        announced: () => mediaNodes.announced(),
        avoid: (instance: string) => mediaNodes.avoid(instance),
        refuge: (nodes: Parameters<NodeChooser['refuge']>[0]) => nodeChooser.refuge(nodes, Date.now()),
      },
      recall: (call: Parameters<typeof recallCall>[1]) => recallCall({ redis, db }, call),
      runTool: (request: Parameters<typeof runTool>[1]) => runTool({ db, now }, request),
      transferHosts: config.transferHosts,
      controlSecret: config.media.controlSecret,
      limits: config.limits,
      logger,
    },
  };
}
