/** What PostgreSQL and its driver throw → HoldfastError, in one place. */
import { HoldfastError } from '../domain/errors.ts';

/** SQLSTATE classes and codes that mean "the server cannot serve now", not "this query is wrong". */
const UNAVAILABLE_STATES = /^(08|57P|53)/;
const UNAVAILABLE_SYSTEM = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const UNAVAILABLE_WORDS =
  /connection terminated|timeout exceeded when trying to connect|query read timeout|connection ended unexpectedly|driver has already been destroyed|is not queryable/i;
/** Serialization failure, deadlock, timeouts of a lock, a statement or an idle transaction: the same transaction may work now. */
const RETRYABLE_STATES = new Set(['40001', '40P01', '55P03', '57014', '25P03']);

export function databaseError(error: unknown): unknown {
  if (error instanceof HoldfastError) return error;
  const facts = factsOf(error);
  if (isUnavailable(facts)) {
    return new HoldfastError('dependency_unavailable', 'PostgreSQL cannot be reached', {
      retryable: true,
      cause: error,
      details: { dependency: 'postgres' },
    });
  }
  if (RETRYABLE_STATES.has(facts.code)) {
    return new HoldfastError('dependency_unavailable', 'PostgreSQL was too busy for this transaction', {
      retryable: true,
      cause: error,
      details: { dependency: 'postgres' },
    });
  }
  return error;
}

/** The constraint that a write broke, if that is what happened. */
export function violatedConstraint(error: unknown): string | null {
  const facts = factsOf(error);
  return facts.code.startsWith('23') ? facts.constraint : null;
}

interface DriverFacts {
  readonly code: string;
  readonly constraint: string | null;
  readonly message: string;
}

function factsOf(error: unknown): DriverFacts {
  if (typeof error !== 'object' || error === null) return { code: '', constraint: null, message: String(error) };
  const { code, constraint, message } = error as { code?: unknown; constraint?: unknown; message?: unknown };
  return {
    code: typeof code === 'string' ? code : '',
    constraint: typeof constraint === 'string' ? constraint : null,
    message: typeof message === 'string' ? message : '',
  };
}

const isUnavailable = (facts: DriverFacts): boolean =>
  UNAVAILABLE_SYSTEM.has(facts.code) ||
  (facts.code.length === 5 && UNAVAILABLE_STATES.test(facts.code)) ||
  UNAVAILABLE_WORDS.test(facts.message);
