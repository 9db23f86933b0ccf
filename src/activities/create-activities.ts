/** The activities of a worker. Workflows import only the type. */
import type { AdmitRequest, Admission, ConverseRequest, ConverseResult, SteerRequest } from '../contracts/call-workflow.ts';
import { converse } from './converse.ts';
import type { ActivityDeps, StoredEnd } from './deps.ts';
import { asTemporalFailure } from './failure.ts';
import { steerCall } from './steer-call.ts';
import { finalizeCall, type FinalizeInput } from './finalize-call.ts';

export interface Activities {
  /** Decides about a call and writes its record; idempotent by call record id. */
  admitCall(request: AdmitRequest): Promise<Admission>;
  /** Holds the talk on a media node until it has ended; an attempt that follows a dead one attaches to the same session. */
  converse(request: ConverseRequest): Promise<ConverseResult>;
  /** Tells the media node that holds the call what an operator wants; idempotent by id. */
  steerCall(request: SteerRequest): Promise<void>;
  /** Writes the one disposition, and answers the one that is stored; idempotent. */
  finalizeCall(input: FinalizeInput): Promise<StoredEnd>;
}

export function createActivities(deps: ActivityDeps): Activities {
  return {
    admitCall: mapped((request) => deps.admitCall(request)),
    converse: mapped((request) => converse(deps, request)),
    steerCall: mapped((request) => steerCall(deps, request)),
    finalizeCall: mapped((input) => finalizeCall(deps, input)),
  };
}

function mapped<In, Out>(activity: (input: In) => Promise<Out>): (input: In) => Promise<Out> {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      throw asTemporalFailure(error);
    }
  };
}
