import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';

/** As a careful deploy does: the next one when the last one is ready. */
const BETWEEN_MS = 500;

export const rollingRestart: Fault = {
  name: 'rolling-restart',
  what: 'every process is restarted (SIGTERM) one after the other, the next one when the last one is ready',
  needs: { mediaNodes: 2, workers: 2 },
  width: 20,
  severalStrikes: true,
  async strike({ world: { stack } }) {
    for (const name of ['media', 'media2', 'worker', 'worker2', 'api']) {
      const part = stack.part(name);
      part.kill('SIGTERM');
      await part.again();
      await sleep(BETWEEN_MS);
    }
  },
};
