import type { Fault } from '../fault.ts';

export const mediaKill: Fault = {
  name: 'media-kill',
  what: 'one of two media nodes is killed (SIGKILL); the other takes its calls over',
  needs: { mediaNodes: 2, workers: 1 },
  strikesOneNode: true,
  async strike({ world, victim }) {
    const part = world.stack.part(victim?.part ?? 'media');
    part.kill();
    await part.again();
  },
};
