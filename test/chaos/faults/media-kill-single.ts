import type { Fault } from '../fault.ts';

export const mediaKillSingle: Fault = {
  name: 'media-kill-single',
  what: 'the only media node is killed (SIGKILL) and started again by its supervisor',
  needs: { mediaNodes: 1, workers: 1 },
  async strike({ world }) {
    world.stack.part('media').kill();
    await world.stack.part('media').again();
  },
};
