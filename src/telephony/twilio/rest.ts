/** The one request to Twilio's REST API: a live call gets new instructions. */
import { HoldfastError } from '../../domain/errors.ts';

export interface TwilioRestOptions {
  /** https://api.twilio.com, or that of a region. */
  readonly apiUrl: string;
  readonly accountSid: string;
  readonly authToken: string;
}

export interface TwilioRest {
  /**
   * Twilio stops what the call is doing and asks this URL.
   * @throws HoldfastError dependency_unavailable (retryable); channel_missing when the call is over.
   */
  leadTo(callSid: string, url: string): Promise<void>;
}

const TIMEOUT_MS = 5_000;

export function createTwilioRest({ apiUrl, accountSid, authToken }: TwilioRestOptions): TwilioRest {
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  return {
    async leadTo(callSid, url) {
      const response = await fetch(`${apiUrl}/2010-04-01/Accounts/${accountSid}/Calls/${callSid}.json`, {
        method: 'POST',
        headers: { authorization },
        body: new URLSearchParams({ Url: url, Method: 'POST' }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch((cause: unknown) => {
        throw new HoldfastError('dependency_unavailable', 'Twilio cannot be reached', { retryable: true, cause });
      });
      await response.body?.cancel();
      if (response.ok) return;
      const details = { status: response.status };
      if (response.status === 404 || response.status === 400) throw new HoldfastError('channel_missing', 'The call is over', { details });
      throw new HoldfastError('dependency_unavailable', 'Twilio refuses', { retryable: true, details });
    },
  };
}
