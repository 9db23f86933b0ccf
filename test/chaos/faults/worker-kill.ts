import type { Fault } from '../fault.ts';

export const workerKill: Fault = {
  name: 'worker-kill',
  what: 'both of two workers are killed (SIGKILL), one a moment after the other',
  needs: { mediaNodes: 2, workers: 2 },
  async strike({ world: { stack } }) {
    stack.part('worker').kill();
    stack.part('worker2').kill();
    await Promise.all([stack.part('worker').again(), stack.part('worker2').again()]);
  },
};
