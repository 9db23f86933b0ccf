/**
 * POST /webhooks/twilio/voice: what Twilio asks when a call arrives, and again whenever its stream has
 * ended. Form-encoded and signed; the signature covers the public URL, its query, and every field. Once
 * it is Twilio that asks, the answer is always TwiML: an HTTP error would be a recorded voice of Twilio's.
 */
import express, { type Express, type Request, type RequestHandler } from 'express';
import { z } from 'zod';
import { CALL_PARAMETER, goOnUrl, TWILIO_VOICE_PATH, twilioChannelId } from '../../contracts/twilio.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { isSignedByTwilio } from '../../lib/twilio-signature.ts';
import { callRecordIdFor } from '../../services/call-identity.ts';
import type { NumberVault } from '../../services/number-vault.ts';
import type { TwilioCalls, TwilioCourse } from '../../services/twilio-calls.ts';
import { errorFacts, type Logger } from '../../telemetry.ts';
import { invalidRequest } from '../problem.ts';
import { hangupTwiml, rejectTwiml, sayTwiml, streamTwiml } from './twiml.ts';

export interface TwilioVoiceDeps {
  readonly calls: Pick<TwilioCalls, 'arrive' | 'goOn'>;
  readonly vault: NumberVault;
  readonly authToken: string;
  readonly accountSid: string;
  /** Of this API, as Twilio knows it. */
  readonly publicUrl: string;
  readonly now: () => Date;
  readonly logger: Logger;
}

/** Some 30 fields of at most a few hundred characters. */
const MAX_BODY_BYTES = 16_384;
const MAX_FIELDS = 200;
const FORM = 'application/x-www-form-urlencoded';
const APOLOGY = 'We are sorry, we cannot take your call at the moment. Please try again later. Goodbye.';

/** ANONYMOUS, BLOCKED, RESTRICTED, UNAVAILABLE and UNKNOWN on a keypad: numbers that Twilio puts where there is none. */
const WITHHELD: ReadonlySet<string> = new Set(['+266696687', '+2562533', '+7378742833', '+86282452253', '+8656696']);

const arrivingCall = z.object({
  CallSid: z.string().regex(/^CA\w{32}$/),
  AccountSid: z.string(),
  From: z.string().max(64).default(''),
  To: z.string().min(1).max(64),
});
const endedStream = z.object({ after: z.coerce.number().int().min(0).max(1_000), tries: z.coerce.number().int().min(0).max(1_000) });

export function mountTwilioVoice(app: Express, deps: TwilioVoiceDeps): void {
  const readForm = express.text({ limit: MAX_BODY_BYTES, type: FORM });
  const checkType: RequestHandler = (request, _response, next) => {
    if (request.is(FORM) !== FORM) throw new HoldfastError('unsupported_media_type', `The body must be ${FORM}`);
    next();
  };
  const answer: RequestHandler = async (request, response) => {
    const fields = signedFields(request, deps);
    response.type('text/xml').send(await instructions(request, fields, deps));
  };
  app.post(TWILIO_VOICE_PATH, [checkType, readForm, answer]);
}

/** @throws HoldfastError unauthorized, payload_too_large. */
function signedFields(request: Request, { authToken, publicUrl }: TwilioVoiceDeps): URLSearchParams {
  const fields = new URLSearchParams(typeof request.body === 'string' ? request.body : '');
  if (fields.size > MAX_FIELDS) throw new HoldfastError('payload_too_large', 'The form has too many fields');
  const signed = { url: publicUrl + request.originalUrl, fields, signature: request.get('x-twilio-signature') };
  if (!isSignedByTwilio(authToken, signed)) throw new HoldfastError('unauthorized', 'The request is not signed by Twilio');
  return fields;
}

async function instructions(request: Request, fields: URLSearchParams, deps: TwilioVoiceDeps): Promise<string> {
  const call = arrivingCall.safeParse(Object.fromEntries(fields));
  if (!call.success) throw invalidRequest(call.error);
  const { CallSid, AccountSid, From, To } = call.data;
  if (AccountSid !== deps.accountSid) throw new HoldfastError('unauthorized', 'The call is of another account');
  const channelId = twilioChannelId(CallSid);
  const callId = callRecordIdFor(channelId);
  const ended = endedStream.safeParse(request.query).data;
  try {
    const goingOn = ended === undefined ? null : await deps.calls.goOn({ callId, ...ended });
    const course = goingOn ?? (await deps.calls.arrive(admission({ callId, channelId, from: From, to: To }, deps)));
    return twimlFor(course, { callId, tries: ended === undefined ? 0 : ended.tries + 1, publicUrl: deps.publicUrl });
  } catch (error) {
    deps.logger.error({ event: 'twilio_call_failed', callId, error: errorFacts(error) }, 'A caller of Twilio hears an apology');
    return sayTwiml(APOLOGY);
  }
}

function admission(call: { callId: string; channelId: string; from: string; to: string }, { vault, now }: TwilioVoiceDeps) {
  return {
    callRecordId: call.callId,
    channelId: call.channelId,
    calledNumber: call.to,
    sealedCallerNumber: vault.sealInTransit(WITHHELD.has(call.from) ? '' : call.from, call.callId),
    arrivedAt: now().toISOString(),
  };
}

function twimlFor(course: TwilioCourse, { callId, tries, publicUrl }: { callId: string; tries: number; publicUrl: string }): string {
  switch (course.kind) {
    case 'stream': {
      const parameters = { [CALL_PARAMETER]: callId };
      return streamTwiml({ url: `${course.url}/${callId}`, parameters, goOnUrl: goOnUrl(publicUrl, { after: course.epoch, tries }) });
    }
    case 'refused':
      return refusalTwiml(course);
    case 'over':
      return hangupTwiml();
    case 'unserved':
      return sayTwiml(APOLOGY);
  }
}

/** As the dialplan does it: lines that are taken are busy, a number of nobody's is no number. */
function refusalTwiml({ status, message }: Extract<TwilioCourse, { kind: 'refused' }>): string {
  switch (status) {
    case 'over_limit':
    case 'over_share':
    case 'no_capacity':
      return rejectTwiml('busy');
    case 'unknown_did':
      return rejectTwiml('rejected');
    case 'inactive_did':
    case 'tenant_suspended':
    case 'no_profile':
      return sayTwiml(`${message} Goodbye.`);
  }
}
