import type { TimerName } from './turn-taking.ts';

/** A call's named timers: setting one again moves it. */
export class Timers {
  readonly #running = new Map<TimerName, NodeJS.Timeout>();

  set(name: TimerName, afterMs: number, fire: () => void): void {
    this.clear(name);
    this.#running.set(
      name,
      setTimeout(() => {
        this.#running.delete(name);
        fire();
      }, afterMs),
    );
  }

  clear(name: TimerName): void {
    clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  clearAll(): void {
    for (const timer of this.#running.values()) clearTimeout(timer);
    this.#running.clear();
  }
}
