import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultPlace } from '../fault.ts';
import { namespacesImpossible, openNetwork, type Network } from '../network.ts';

const UNREACHABLE_MS = 20_000;
let network: Network | undefined;

export const mediaUnreachable: Fault = {
  name: 'media-unreachable',
  what: `the host of one of two media nodes is cut off the network (a namespace whose packets are dropped) for ${UNREACHABLE_MS / 1_000} s`,
  needs: { mediaNodes: 2, workers: 1 },
  impossible: namespacesImpossible,
  async place(): Promise<FaultPlace> {
    const opened = await openNetwork();
    network = opened;
    return {
      placeMedia: ({ index, env }) => (index === 0 ? opened.place(env) : Promise.resolve(null)),
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  },
  strikesOneNode: true,
  strikesNode: 'media',
  async strike() {
    await network?.cut();
    await sleep(UNREACHABLE_MS);
    await network?.mend();
  },
};
