import type { Fault } from '../fault.ts';

export const asteriskKill: Fault = {
  name: 'asterisk-kill',
  what: 'Asterisk is killed (SIGKILL): the one thing that a call cannot outlive; each must be closed within 5 s',
  needs: { mediaNodes: 2, workers: 1 },
  endsCalls: true,
  async strike({ world: { stack } }) {
    stack.part('asterisk').kill();
    await stack.part('asterisk').again();
  },
};
