/**
 * Kills the worker process (SIGKILL) at the nth piece of data that passes between it and the world.
 * Every await of an activity and every workflow task waits for such a piece, and a piece that is lost
 * on its way in is an effect that happened and that nobody knows of; so counting them through is
 * crashing at every step.
 */
import type { Child } from '../../setup/stack/child.ts';
import type { CallStage } from './call-stage.ts';

export const boundaries = ['postgres', 'temporal', 'control'] as const;
export type Boundary = (typeof boundaries)[number];

export interface Accident {
  readonly where: Boundary;
  /** Counted from when it is armed, both directions together, from 1. */
  readonly at: number;
}

export class WorkerAccidents {
  readonly #stage: CallStage;
  #worker: Child;
  #passed: Record<Boundary, number> = { postgres: 0, temporal: 0, control: 0 };
  #armed: Accident | null = null;
  #happened = Promise.withResolvers<void>();
  /** How many there have been. */
  count = 0;

  private constructor(stage: CallStage, worker: Child) {
    this.#stage = stage;
    this.#worker = worker;
    stage.postgresGate.tap = this.tapOf('postgres');
    stage.temporalGate.tap = this.tapOf('temporal');
  }

  static async prepare(stage: CallStage): Promise<WorkerAccidents> {
    return new WorkerAccidents(stage, await stage.worker());
  }

  tapOf(where: Boundary): () => boolean {
    return () => {
      const passed = ++this.#passed[where];
      if (this.#armed?.where !== where || this.#armed.at !== passed) return true;
      this.#armed = null;
      this.count += 1;
      process.kill(this.#worker.pid, 'SIGKILL');
      this.#happened.resolve();
      return false;
    };
  }

  /** Since the last call of this. */
  passed(): Readonly<Record<Boundary, number>> {
    const passed = this.#passed;
    this.#passed = { postgres: 0, temporal: 0, control: 0 };
    return passed;
  }

  /** One after another, each followed by a new worker, until `work` is done; what has not happened by then never will. */
  async during<T>(accidents: readonly Accident[], work: Promise<T>): Promise<T> {
    const over = work.then(
      () => false,
      () => false,
    );
    for (const accident of accidents) {
      this.#happened = Promise.withResolvers();
      this.passed();
      this.#armed = accident;
      const happened = await Promise.race([this.#happened.promise.then(() => true), over]);
      this.#armed = null;
      if (!happened) break;
      await this.#worker.exited;
      this.#worker = await this.#stage.worker();
    }
    return work;
  }
}
