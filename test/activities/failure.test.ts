import { expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/activity';
import { asTemporalFailure } from '../../src/activities/failure.ts';
import { HoldfastError } from '../../src/domain/errors.ts';

test.each([
  [true, false],
  [false, true],
])('asTemporalFailure: retryable %s becomes nonRetryable %s, under the same code', (retryable, nonRetryable) => {
  const failure = asTemporalFailure(new HoldfastError('dependency_unavailable', 'PostgreSQL is away', { retryable }));
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({ type: 'dependency_unavailable', message: 'PostgreSQL is away', nonRetryable });
});

test("asTemporalFailure keeps a stranger's words out of the history", () => {
  const failure = asTemporalFailure(new Error("insert into calls values ('+12025550143')"));
  expect(failure).toMatchObject({ type: 'internal', message: 'Unexpected Error', nonRetryable: false });
  expect(failure.cause).toBeUndefined();
});

test("asTemporalFailure leaves Temporal's own failures alone", () => {
  const failure = ApplicationFailure.retryable('moving', 'worker_shutdown');
  expect(asTemporalFailure(failure)).toBe(failure);
});
