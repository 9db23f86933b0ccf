import type { Fault } from '../fault.ts';

export const apiKill: Fault = {
  name: 'api-kill',
  what: 'the API is killed (SIGKILL)',
  needs: { mediaNodes: 2, workers: 1 },
  async strike({ world: { stack } }) {
    stack.part('api').kill();
    await stack.part('api').again();
  },
};
