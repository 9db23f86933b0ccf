/**
 * POST /internal/telephony/inbound. The checks come in the order of what they cost and tell: the
 * address before a byte of the body is read, the secret before it is parsed.
 */
import type { Express, RequestHandler } from 'express';
import {
  INBOUND_WEBHOOK_PATH,
  inboundWebhookRequest,
  type InboundWebhookRequest,
  type InboundWebhookResponse,
} from '../../contracts/telephony-webhook.ts';
import { HoldfastError } from '../../domain/errors.ts';
import { AddressList } from '../../lib/address-list.ts';
import { secretsEqual } from '../../lib/digests.ts';
import { callRecordIdFor } from '../../services/call-identity.ts';
import type { AdmissionDesk } from '../../services/admission-desk.ts';
import type { NumberVault } from '../../services/number-vault.ts';
import { jsonBody } from '../mount-routes.ts';
import { invalidRequest } from '../problem.ts';

export interface InboundWebhookDeps {
  readonly desk: Pick<AdmissionDesk, 'admit'>;
  readonly vault: NumberVault;
  /** More than one while a secret is rolled out. */
  readonly secrets: readonly string[];
  /** Addresses and CIDR blocks of the PBXs. */
  readonly allowedAddresses: readonly string[];
  readonly maxAgeSeconds: number;
  readonly bodyLimitBytes: number;
  readonly now: () => Date;
}

export function mountInboundWebhook(app: Express, deps: InboundWebhookDeps): void {
  const allowed = new AddressList(deps.allowedAddresses);
  const checkAddress: RequestHandler = (request, _response, next) => {
    // The socket's own address: a header may say anything.
    if (!allowed.has(request.socket.remoteAddress)) throw new HoldfastError('forbidden_address', 'This address may not announce calls');
    next();
  };
  const checkSecret: RequestHandler = (request, _response, next) => {
    if (!bearerMatches(request.headers.authorization, deps.secrets))
      throw new HoldfastError('unauthorized', 'The bearer token is missing or wrong');
    next();
  };
  const answer: RequestHandler = async (request, response) => {
    response.json(await admit(deps, request.body));
  };
  app.post(INBOUND_WEBHOOK_PATH, [checkAddress, checkSecret, jsonBody(deps.bodyLimitBytes), answer]);
}

async function admit(deps: InboundWebhookDeps, body: unknown): Promise<InboundWebhookResponse> {
  const parsed = inboundWebhookRequest.safeParse(body);
  if (!parsed.success) throw invalidRequest(parsed.error);
  const call = parsed.data;
  const arrivedAt = freshTimestamp(call.timestamp, deps);
  const callRecordId = callRecordIdFor(call.call_id);
  return deps.desk.admit({
    callRecordId,
    channelId: call.channel_id,
    calledNumber: call.called_number,
    sealedCallerNumber: deps.vault.sealInTransit(call.caller_number, callRecordId),
    arrivedAt: arrivedAt.toISOString(),
  });
}

/** Every secret is compared, so that the time taken does not tell which one nearly fits. */
function bearerMatches(header: string | undefined, secrets: readonly string[]): boolean {
  const token = /^Bearer ([\x21-\x7e]+)$/i.exec(header ?? '')?.[1] ?? '';
  const matches = secrets.filter((secret) => secret !== '' && secretsEqual(token, secret));
  return matches.length > 0;
}

/** A request recorded today is worth nothing tomorrow; within the window it meets the same workflow. */
function freshTimestamp(timestamp: InboundWebhookRequest['timestamp'], deps: InboundWebhookDeps): Date {
  const at = parseTimestamp(timestamp);
  if (at === null) {
    throw new HoldfastError('invalid_request', 'The timestamp is not readable', {
      details: { errors: [{ path: 'timestamp', message: 'must be seconds since 1970 or ISO 8601 with a zone' }] },
    });
  }
  if (Math.abs(deps.now().getTime() - at.getTime()) > deps.maxAgeSeconds * 1_000) {
    throw new HoldfastError('stale_timestamp', `The timestamp is more than ${deps.maxAgeSeconds} s away from now`, {
      details: { errors: [{ path: 'timestamp', message: 'is outside the accepted window' }] },
    });
  }
  return at;
}

function parseTimestamp(timestamp: string | number): Date | null {
  const text = String(timestamp).trim();
  const seconds = /^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : null;
  const iso = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/i.test(text);
  if (seconds === null && !iso) return null;
  const at = new Date(seconds === null ? text : seconds * 1_000);
  return Number.isNaN(at.getTime()) ? null : at;
}
