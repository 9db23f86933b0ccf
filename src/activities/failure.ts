/** The one place where Holdfast's errors become Temporal's: `retryable` decides whether Temporal tries again. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { HoldfastError } from '../domain/errors.ts';

/** Details are left out: histories are readable to everyone who may see the UI. */
export function asTemporalFailure(error: unknown): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (error instanceof HoldfastError) {
    return ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable: !error.retryable });
  }
  // A stranger's error may quote a statement with its parameters: only its name leaves the process.
  const name = error instanceof Error ? error.name : typeof error;
  return ApplicationFailure.create({ type: 'internal', message: `Unexpected ${name}`, nonRetryable: false });
}
