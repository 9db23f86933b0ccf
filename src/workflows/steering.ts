/** What an operator may ask of a running call, and how they learn that it cannot be done. */
import { ApplicationFailure } from '@temporalio/workflow';
import { isSayText, isSipAddress, SAY_MAX_CHARACTERS } from '../domain/steering.ts';

/** @throws ApplicationFailure invalid_request that says what is expected. */
export function checkSayText(text: unknown): void {
  if (!isSayText(text)) throw steeringFailure('invalid_request', `text must be one line of 1 to ${SAY_MAX_CHARACTERS} characters`);
}

/** @throws ApplicationFailure invalid_request that says what is expected. */
export function checkSipAddress(to: unknown): void {
  if (!isSipAddress(to)) throw steeringFailure('invalid_request', 'to must be sip:user@host or sip:user@host:port');
}

const messages: Readonly<Record<string, string>> = {
  transfer_forbidden: 'Calls may not be transferred to that host: it is not in TRANSFER_ALLOWED_HOSTS',
  conflict: 'The call is ending',
  channel_missing: 'The caller has not been answered yet',
  media_node_lost: 'The media node could not be reached; try again',
  timeout: 'The media node could not be reached; try again',
};

/** @param code of the error: the type of the failure that the operator gets. */
export function steeringFailure(code: string, message = messages[code] ?? 'The media node refused this'): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, code);
}
