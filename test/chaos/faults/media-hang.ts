import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';

/** Long enough that its calls are another node's and have come to their end. */
const FROZEN_MS = 20_000;

export const mediaHang: Fault = {
  name: 'media-hang',
  what: `one of two media nodes hangs (SIGSTOP, its sockets stay open) and wakes up ${FROZEN_MS / 1_000} s later`,
  needs: { mediaNodes: 2, workers: 1 },
  strikesOneNode: true,
  async strike({ world, victim }) {
    const part = world.stack.part(victim?.part ?? 'media');
    part.freeze();
    await sleep(FROZEN_MS);
    part.thaw();
  },
};
