/** Wires the part of the API that admits calls, with Temporal or without. */
import type { Redis } from 'ioredis';
import type { Config } from '../config.ts';
import type { Database } from '../db/tenant-scope.ts';
import { admitCall } from '../services/admission.ts';
import { AdmissionDesk } from '../services/admission-desk.ts';
import type { CallGateway } from '../services/call-gateway.ts';
import { recallCall } from '../services/call-memory.ts';
import { finalizeCall, recordAnswered, recordNode, recordTurns, type CallRef } from '../services/calls.ts';
import { promiseToAttend } from '../services/fail-open-calls.ts';
import { NodeChooser, RedisMediaNodes } from '../services/media-nodes.ts';
import { MissedCalls } from '../services/missed-calls.ts';
import type { NumberVault } from '../services/number-vault.ts';
import { TemporalWatch } from '../services/temporal-watch.ts';
import { runTool } from '../services/tools.ts';
import { WorkflowStarter } from '../services/workflow-starter.ts';
import { StandIns } from '../stand-in/stand-ins.ts';
import { errorFacts, type Logger } from '../telemetry.ts';

export interface DeskParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly db: Database;
  readonly redis: Redis;
  readonly vault: NumberVault;
  readonly gateway: CallGateway;
}

export interface RunningDesk extends AsyncDisposable {
  readonly desk: AdmissionDesk;
}

export function openAdmissionDesk({ config, logger, db, redis, vault, gateway }: DeskParts): RunningDesk {
  const instance = crypto.randomUUID();
  const now = () => new Date();
  const mediaNodes = new RedisMediaNodes(redis, (error) =>
    logger.warn({ event: 'registry_unavailable', error: errorFacts(error) }, 'Using the last known media nodes'),
  );
  const nodeChooser = new NodeChooser();
  const { maxConcurrentCalls, limits } = config;
  const admission = {
    db,
    vault,
    mediaNodes,
    nodeChooser,
    plan: { conversation: config.conversation, models: config.models },
    maxConcurrentCalls,
    now,
  };
  const promise = (call: CallRef) => promiseToAttend(db, call, { instance, at: now() });
  const standIns = new StandIns({
    calls: {
      recordAnswered: (call) => recordAnswered({ db }, call),
      recordNode: (call) => recordNode({ db }, call),
      recordTurns: (call) => recordTurns({ db }, call),
      finalizeCall: (call) => finalizeCall({ db }, call),
    },
    nodes: {
      live: () => mediaNodes.live(),
      announced: () => mediaNodes.announced(),
      avoid: (lost) => mediaNodes.avoid(lost),
      refuge: (nodes) => nodeChooser.refuge(nodes, Date.now()),
    },
    recall: (call) => recallCall({ redis, db }, call),
    runTool: (request) => runTool({ db, now }, request),
    promise,
    transferHosts: config.transferHosts,
    controlSecret: config.media.controlSecret,
    limits,
    logger,
  });
  const watch = new TemporalWatch({ ping: (timeoutMs) => gateway.ping(timeoutMs), onBack: () => starter.soon(), logger });
  const admitHere = (request: Parameters<typeof admitCall>[1]) => admitCall(admission, request, 'fail_open');
  const missed = new MissedCalls({ record: (request) => admitCall(admission, request, 'missed'), logger });
  const starter = new WorkflowStarter({ db, gateway, watch, admitHere, promise, standIns, now, logger });
  return {
    desk: new AdmissionDesk({
      gateway,
      watch,
      admitHere,
      attend: (taken) => standIns.attend(taken),
      missed: (request) => missed.remember(request),
      logger,
    }),
    async [Symbol.asyncDispose]() {
      for (const part of [starter, watch, standIns, missed]) await part[Symbol.asyncDispose]();
    },
  };
}
