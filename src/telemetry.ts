/**
 * One place where Holdfast logs. JSON lines on stderr through pino; PII never reaches it: callers
 * pass ids, codes and milliseconds, and the redaction below is the second net, not the first.
 */
import { pino, type Logger } from 'pino';
import { HoldfastError } from './domain/errors.ts';

export type { Logger };

const redacted = [
  'caller_number',
  'called_number',
  'callerNumber',
  'calledNumber',
  'text',
  'heardText',
  'transcript',
  'authorization',
  'password',
  'secret',
];

export function createLogger(options: { process: string; level: string }): Logger {
  return pino(
    {
      level: options.level,
      base: { process: options.process, pid: process.pid },
      redact: { paths: redacted.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' },
    },
    pino.destination({ fd: 2, sync: false }),
  );
}

/** Error → loggable facts: code and retryability for ours, name and stack for a stranger's. */
export function errorFacts(error: unknown): Record<string, unknown> {
  if (error instanceof HoldfastError) {
    return {
      code: error.code,
      retryable: error.retryable,
      message: error.message,
      ...(error.cause === undefined ? {} : { cause: errorFacts(error.cause) }),
    };
  }
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack };
  return { message: String(error) };
}
