/** Wires the part of the API that admits calls, with Temporal or without. */
import type { Redis } from 'ioredis';
import type { Config } from '../config.ts';
import type { Database } from '../db/tenant-scope.ts';
import { admitCall } from '../services/admission.ts';
import { AdmissionDesk } from '../services/admission-desk.ts';
import type { CallGateway } from '../services/call-gateway.ts';
import type { CallRef } from '../services/calls.ts';
import { promiseToAttend } from '../services/fail-open-calls.ts';
import { MissedCalls } from '../services/missed-calls.ts';
import type { NumberVault } from '../services/number-vault.ts';
import { TemporalWatch } from '../services/temporal-watch.ts';
import { TwilioCalls } from '../services/twilio-calls.ts';
import { WorkflowStarter } from '../services/workflow-starter.ts';
import { StandIns } from '../stand-in/stand-ins.ts';
import type { Logger } from '../telemetry.ts';
import { callServices } from './call-services.ts';

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
  readonly twilioCalls: TwilioCalls;
}

export function openAdmissionDesk({ config, logger, db, redis, vault, gateway }: DeskParts): RunningDesk {
  const instance = crypto.randomUUID();
  const { now, admission, talk } = callServices({ config, logger, db, redis, vault });
  const promise = (call: CallRef) => promiseToAttend(db, call, { instance, at: now() });
  const standIns = new StandIns({ ...talk, promise });
  const watch = new TemporalWatch({ ping: (timeoutMs) => gateway.ping(timeoutMs), onBack: () => starter.soon(), logger });
  const admitHere = (request: Parameters<typeof admitCall>[1]) => admitCall(admission, request, 'fail_open');
  const missed = new MissedCalls({ record: (request) => admitCall(admission, request, 'missed'), logger });
  const starter = new WorkflowStarter({ db, gateway, watch, admitHere, promise, standIns, now, logger });
  const desk = new AdmissionDesk({
    gateway,
    watch,
    admitHere,
    attend: (taken) => standIns.attend(taken),
    missed: (request) => missed.remember(request),
    logger,
  });
  return {
    desk,
    twilioCalls: new TwilioCalls({ redis, desk, nodes: admission.mediaNodes }),
    async [Symbol.asyncDispose]() {
      for (const part of [starter, watch, standIns, missed]) await part[Symbol.asyncDispose]();
    },
  };
}
