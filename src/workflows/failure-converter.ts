/** Failures travel with their message and stack trace inside an encrypted payload. Named by path: the sandbox and the worker each load it. */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
