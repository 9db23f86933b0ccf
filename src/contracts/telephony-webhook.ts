import { z } from 'zod';

export const INBOUND_WEBHOOK_PATH = '/internal/telephony/inbound';

/** What the dialplan posts when a call arrives. */
export const inboundWebhookRequest = z.object({
  /** As the trunk sent it; empty or "anonymous" when withheld. */
  caller_number: z.string().max(64),
  called_number: z.string().min(1).max(64),
  /** Unique per call on the PBX: the idempotency key. */
  call_id: z
    .string()
    .min(1)
    .max(150)
    .regex(/^[\w.:@-]+$/),
  /** Seconds since the epoch (number or digits) or ISO 8601. */
  timestamp: z.union([z.number().positive(), z.string().min(1).max(40)]),
  channel_id: z.string().min(1).max(150),
});
export type InboundWebhookRequest = z.infer<typeof inboundWebhookRequest>;

/** Refusals are data with HTTP 200: the dialplan decides what the caller hears. */
export const admissionStatuses = [
  'accepted',
  'unknown_did',
  'inactive_did',
  'tenant_suspended',
  'no_profile',
  'over_limit', // the tenant has as many calls as it may have
  'over_share', // the platform is short of lines, and the tenant has its fair share of them
  'no_capacity', // the platform has no line left
] as const;
export type AdmissionStatus = (typeof admissionStatuses)[number];

export const inboundWebhookResponse = z.object({
  status: z.enum(admissionStatuses),
  call_record_id: z.uuid().nullable(),
  tenant_id: z.uuid().nullable(),
  message: z.string(),
  /** Stasis application to hand the channel to; null when refused. */
  media_app: z.string().nullable(),
  /** Another node's application, for when nobody serves the first; null when there is none. */
  standby_app: z.string().nullable().default(null),
});
export type InboundWebhookResponse = z.infer<typeof inboundWebhookResponse>;
