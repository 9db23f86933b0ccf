/** Whatever the SDK or the network throws → one HoldfastError, decided here and nowhere else. */
import { APIConnectionError, APIError } from 'openai';
import { HoldfastError } from '../../domain/errors.ts';

export type ProviderErrorCode = 'stt_failed' | 'llm_failed' | 'tts_failed';

/** Statuses below 500 after which the very same request may succeed. */
const retryableStatuses = new Set([408, 409, 425, 429]);

/**
 * Throws the caller's abort reason when the caller gave up, else a HoldfastError. The vendor's
 * words never travel on: its error messages may quote the prompt or the transcript.
 */
export function fail(code: ProviderErrorCode, error: unknown, signal: AbortSignal): never {
  if (signal.aborted) throw signal.reason;
  throw toFailure(code, error);
}

/** Something the vendor sent is not what its own protocol promises; another try may go well. */
export function brokenReply(code: ProviderErrorCode, what: string): HoldfastError {
  return new HoldfastError(code, `AI provider ${what}`, { retryable: true });
}

function toFailure(code: ProviderErrorCode, error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  if (error instanceof APIError && error.status !== undefined) {
    const retryable = error.status >= 500 || retryableStatuses.has(error.status);
    const vendorCode = plainCode(error.code);
    const message = `AI provider answered ${error.status}${vendorCode === undefined ? '' : ` (${vendorCode})`}`;
    const retryAfterMs = retryAfterMsOf(error.headers);
    const details = { status: error.status, requestId: error.requestID ?? null, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    return new HoldfastError(code, message, { retryable, details });
  }
  if (error instanceof APIConnectionError) {
    return new HoldfastError(code, `AI provider cannot be reached${inBrackets(systemCode(error))}`, { retryable: true });
  }
  if (error instanceof APIError) {
    return new HoldfastError(code, `AI provider reported an error in its stream${inBrackets(plainCode(error.code))}`, { retryable: true });
  }
  return new HoldfastError(code, `AI provider's reply broke off${inBrackets(systemCode(error))}`, { retryable: true });
}

/** RFC 9110: seconds, or a date; OpenAI also sends milliseconds under a name of its own. */
function retryAfterMsOf(headers: Headers | undefined): number | undefined {
  const exact = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  if (exact > 0) return exact;
  const text = headers?.get('retry-after');
  if (text === null || text === undefined) return undefined;
  const waitMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return waitMs > 0 ? Math.round(waitMs) : undefined;
}

const inBrackets = (text: string | undefined): string => (text === undefined ? '' : ` (${text})`);

/** A vendor's code is only repeated when it looks like a code. */
function plainCode(code: unknown): string | undefined {
  return typeof code === 'string' && /^[a-z0-9_.-]{1,60}$/i.test(code) ? code : undefined;
}

/** ECONNRESET and its like hide a few causes deep. */
function systemCode(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return plainCode(code) ?? systemCode(cause, depth + 1);
}
