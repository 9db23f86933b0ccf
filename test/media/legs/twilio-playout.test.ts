import fc from 'fast-check';
import { TwilioPlayout, WINDOW_BYTES } from '../../../src/media/legs/twilio-playout.ts';

const TICK_MS = 20;
const TICK_BYTES = 160;
/** Bytes count up to here and begin again, so that a byte tells its place. */
const CYCLE = 251;

/** Twilio without a network: plays 160 bytes a tick, returns marks as they are reached, all of them when told to clear. */
class Line {
  nowMs = 0;
  readonly heard: number[] = [];
  readonly marks: string[] = [];
  clears = 0;
  readonly playout: TwilioPlayout;
  #queue: (number | string)[] = [];
  #next = 0;

  constructor() {
    this.playout = new TwilioPlayout({
      sendAudio: (codes) => this.#queue.push(...codes),
      sendMark: (name) => this.#queue.push(name),
      sendClear: () => {
        this.clears += 1;
        const names = this.#queue.filter((item) => typeof item === 'string');
        this.#queue = [];
        for (const name of names) this.#return(name);
      },
    });
  }

  get buffered(): number {
    return this.#queue.filter((item) => typeof item === 'number').length;
  }

  play(bytes: number): void {
    this.playout.play(Buffer.from(Array.from({ length: bytes }, () => this.#next++ % CYCLE)), this.nowMs);
  }

  tick(): void {
    this.nowMs += TICK_MS;
    for (let played = 0; played < TICK_BYTES;) {
      const item = this.#queue.shift();
      if (item === undefined) break;
      if (typeof item === 'string') this.#return(item);
      else played += this.heard.push(item) > 0 ? 1 : 0;
    }
    while (typeof this.#queue[0] === 'string') this.#return(this.#queue.shift() as string);
  }

  #return(name: string): void {
    this.marks.push(...this.playout.acknowledge(name, this.nowMs));
  }
}

type Step = { readonly do: 'play'; readonly bytes: number } | { readonly do: 'mark' | 'pause' | 'resume' | 'clear' | 'tick' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('play' as const), bytes: fc.integer({ min: 1, max: 12_000 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('mark' as const, 'pause' as const, 'resume' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
);

describe('TwilioPlayout', () => {
  test('whatever is done to it, nothing is left out, little is heard twice, and marks tell what was heard', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const line = new Line();
        let expected: string[] = [];
        let dropped: string[] = [];
        let cuts: number[] = [];
        let marked = 0;
        for (const each of steps) {
          if (each.do === 'play') line.play(each.bytes);
          else if (each.do === 'tick') line.tick();
          else if (each.do === 'mark') {
            expected.push(`m${++marked}`);
            line.playout.mark(`m${marked}`, line.nowMs);
          } else if (each.do === 'clear') {
            dropped = [...dropped, ...expected.filter((id) => !line.marks.includes(id))];
            expected = expected.filter((id) => line.marks.includes(id));
            cuts = [...cuts, line.heard.length];
            line.playout.clear();
          } else line.playout[each.do](line.nowMs);
          expect(line.buffered).toBeLessThanOrEqual(WINDOW_BYTES);
        }
        line.playout.resume(line.nowMs);
        for (let i = 0; i < 10_000 && (line.buffered > 0 || i < 5); i++) line.tick();
        for (const [i, byte] of line.heard.entries()) {
          if (i === 0 || cuts.includes(i)) continue;
          const ahead = (byte - (line.heard[i - 1] as number) + CYCLE) % CYCLE;
          // The next one, or one of those that were on their way when a pause came: never one too far.
          if (ahead !== 1 && ahead !== 0 && ahead < CYCLE - TICK_BYTES) throw new Error(`${ahead - 1} bytes were left out at ${i}`);
        }
        expect(line.marks).toEqual(expected);
        expect(line.marks.filter((id) => dropped.includes(id))).toEqual([]);
        expect(line.playout.overdueMs(line.nowMs + 60_000)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  test('a pause keeps the position to the tick, and asks Twilio to clear only what is there', () => {
    const line = new Line();
    line.playout.pause(line.nowMs);
    line.playout.resume(line.nowMs);
    expect(line.clears).toBe(0);
    line.play(1_000);
    line.tick();
    line.playout.pause(line.nowMs);
    for (let i = 0; i < 10; i++) line.tick();
    expect(line.heard).toHaveLength(TICK_BYTES);
    line.playout.resume(line.nowMs);
    for (let i = 0; i < 10; i++) line.tick();
    expect(line.heard).toEqual(Array.from({ length: 1_000 }, (_, i) => i % CYCLE));
  });

  test('marks that Twilio makes up, or sends twice, change nothing', () => {
    const line = new Line();
    line.play(4_000);
    line.playout.mark('end', line.nowMs);
    for (const name of ['', 'x', '0:s:99999', '0:s:-800', '0:s:NaN', '0:u:other', '1:u:end', '0:u:', ':::'])
      expect(line.playout.acknowledge(name, line.nowMs)).toEqual([]);
    for (let i = 0; i < 40; i++) line.tick();
    expect(line.marks).toEqual(['end']);
    expect(line.playout.acknowledge('0:u:end', line.nowMs)).toEqual([]);
    expect(line.heard).toHaveLength(4_000);
  });

  test('more than three minutes of waiting audio are refused', () => {
    const line = new Line();
    line.play(1_440_000);
    expect(() => line.play(1)).toThrow(expect.objectContaining({ code: 'limit_exceeded' }) as Error);
  });
});
