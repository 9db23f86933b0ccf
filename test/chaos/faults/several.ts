/** Processes that die in the same moment. */
import type { Fault } from '../fault.ts';

function killTogether(name: string, parts: readonly string[]): Fault {
  return {
    name,
    what: `${parts.join(', ')} and the busier of two media nodes are killed (SIGKILL) at once`,
    needs: { mediaNodes: 2, workers: 1 },
    strikesOneNode: true,
    async strike({ world: { stack }, victim }) {
      const all = [...parts, victim?.part ?? 'media'].map((each) => stack.part(each));
      for (const part of all) part.kill();
      await Promise.all(all.map((part) => part.again()));
    },
  };
}

export const workerAndMediaKill = killTogether('worker-media-kill', ['worker']);
export const everyProcessKill = killTogether('all-kill', ['api', 'worker']);
