import type { Fault } from '../fault.ts';

export const mediaSigterm: Fault = {
  name: 'media-sigterm',
  what: 'one of two media nodes is asked to end (SIGTERM) and hands its calls over',
  needs: { mediaNodes: 2, workers: 1 },
  strikesOneNode: true,
  async strike({ world, victim }) {
    const part = world.stack.part(victim?.part ?? 'media');
    part.kill('SIGTERM');
    await part.again();
  },
};
