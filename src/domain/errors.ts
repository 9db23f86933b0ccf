/**
 * The one error type of Holdfast. A code is stable and documented in docs/errors.md; whether a
 * retry can help is decided where the error is born, never guessed from its text later.
 */
export const errorCodes = [
  'config_invalid',
  'invalid_request',
  'not_found',
  'conflict',
  'unauthorized',
  'forbidden_address',
  'stale_timestamp',
  'payload_too_large',
  'unsupported_media_type',
  'tenant_scope_missing',
  'dependency_unavailable',
  'admission_timeout',
  'no_media_node',
  'media_node_full',
  'media_node_draining',
  'media_node_lost',
  'stale_epoch',
  'control_protocol',
  'channel_missing',
  'transfer_forbidden',
  'ari_failed',
  'pbx_lost',
  'stt_failed',
  'llm_failed',
  'tts_failed',
  'tool_failed',
  'tool_unknown',
  'limit_exceeded',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface HoldfastErrorOptions {
  /** True when the same request may succeed later without a change. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
  /** Facts for the caller of an API: field names, limits. Never a number, name or transcript. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class HoldfastError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: HoldfastErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HoldfastError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}
