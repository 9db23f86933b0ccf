/** What a fault is: what it needs to be possible, and what it does at the moment when every call is in its phase. */
import type { StackOptions } from '../../setup/stack/stack.ts';
import type { LiveNode } from './live-calls.ts';
import type { World, WorldNeeds } from './world.ts';

export interface Scene {
  readonly world: World;
  /** The node with the most calls, where there are several and one is to be struck. */
  readonly victim: LiveNode | null;
  /** The busiest first. */
  readonly nodes: readonly LiveNode[];
}

/** What becomes of a call that arrives while the fault lasts. */
export type ArrivalOutcome = 'served' | 'apology';

export interface Fault {
  readonly name: string;
  /** One line for the table's legend. */
  readonly what: string;
  readonly needs: WorldNeeds;
  /** It strikes one media node: this one, or the busiest. */
  readonly strikesOneNode?: boolean;
  readonly strikesNode?: string;
  /** The calls end by design: what counts is that each is closed. */
  readonly endsCalls?: boolean;
  /** It strikes several times: nobody may notice more than one gap until it is over. */
  readonly severalStrikes?: boolean;
  /** Calls placed while it lasts, from 5 s on, one each 5 s. */
  readonly arrivals?: number;
  readonly arrivalsAre?: ArrivalOutcome;
  /** Calls live at once, when not as many as usual. */
  readonly width?: number;
  /** Why it cannot be done on this machine, or null. */
  readonly impossible?: () => Promise<string | null>;
  /** Changes the world that is started for it. */
  readonly place?: () => Promise<FaultPlace>;
  /** Begins at once; resolves when everything is whole again. */
  strike(scene: Scene): Promise<void>;
}

export interface FaultPlace extends AsyncDisposable {
  readonly placeMedia: NonNullable<StackOptions['placeMedia']>;
}
