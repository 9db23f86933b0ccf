/**
 * Temporal's remote codec protocol, which its UI and CLI speak to show sealed payloads:
 * POST {endpoint}/decode (or /encode) with {"payloads": […]} in Temporal's JSON form, the same shape back.
 */
import { z } from 'zod';

/** Two ways to say who asks: a bearer token, or the token as a path segment for a browser that can send no header. */
export const CODEC_PATHS = ['/internal/codec/:namespace/:operation', '/internal/codec/:token/:namespace/:operation'] as const;

/** What the UI is told; it appends the operation. */
export const codecEndpoint = (at: { apiUrl: string; token: string; namespace: string }): string =>
  `${at.apiUrl}/internal/codec/${at.token}/${at.namespace}`;

export const codecOperations = ['decode', 'encode'] as const;

/** More than any event of a call holds. */
const MAX_PAYLOADS = 1_000;

export const codecParams = z.object({ namespace: z.string(), operation: z.enum(codecOperations) });

/** Bytes are base64. */
const payload = z.object({ metadata: z.record(z.string(), z.string()).nullish(), data: z.string().nullish() });
export type JsonPayload = z.infer<typeof payload>;

export const codecBody = z.object({ payloads: z.array(payload).max(MAX_PAYLOADS).default([]) });
