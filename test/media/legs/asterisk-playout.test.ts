import fc from 'fast-check';
import { Playout, WINDOW_FRAMES } from '../../../src/media/legs/asterisk-playout.ts';

const FRAME_SAMPLES = 4;
const FRAME_BYTES = FRAME_SAMPLES * 2;

/** The playout queue of chan_websocket, as far as a sender can tell: one frame a tick, marks in order, FLUSH drops both. */
class FarEnd {
  readonly played: number[] = [];
  readonly marks: string[] = [];
  deepest = 0;
  largestMessage = 0;
  readonly playout: Playout;
  #queue: (number[] | string)[] = [];

  constructor() {
    this.playout = new Playout(FRAME_BYTES, {
      sendAudio: (bytes) => {
        if (bytes.length % FRAME_BYTES !== 0) throw new Error('a remainder would be dropped');
        this.largestMessage = Math.max(this.largestMessage, bytes.length);
        const samples = Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readInt16LE(index * 2));
        for (let at = 0; at < samples.length; at += FRAME_SAMPLES) this.#queue.push(samples.slice(at, at + FRAME_SAMPLES));
        this.deepest = Math.max(this.deepest, this.frames);
      },
      sendMark: (correlationId) => void this.#queue.push(correlationId),
    });
  }

  get frames(): number {
    return this.#queue.filter((entry) => typeof entry !== 'string').length;
  }

  /** 20 ms: the marks that are due, one frame, and the marks right behind it. */
  tick(): void {
    this.#returnMarks();
    const frame = this.#queue.shift();
    if (frame !== undefined && typeof frame !== 'string') this.played.push(...frame);
    this.#returnMarks();
  }

  drain(): void {
    while (this.#queue.length > 0) this.tick();
  }

  /** What the leg does for clear. */
  clear(): void {
    const acknowledgement = this.playout.clear();
    this.#queue = [acknowledgement];
  }

  #returnMarks(): void {
    while (typeof this.#queue[0] === 'string') {
      const mark = this.playout.acknowledge(this.#queue.shift() as string);
      if (mark !== undefined) this.marks.push(`${mark}@${this.played.length}`);
    }
  }
}

const ramp = (from: number, length: number): Int16Array => Int16Array.from({ length }, (_, index) => (from + index) % 30_000);

test('play: pieces of any size arrive as whole frames, in order; the last is padded at the mark', () => {
  const end = new FarEnd();
  for (let at = 0; at < 30; at += 3) end.playout.play(ramp(at, 3));
  end.playout.mark('end');
  end.drain();
  expect(end.played).toEqual([...Array.from({ length: 30 }, (_, index) => index), 0, 0]);
  expect(end.marks).toEqual(['end@32']);
});

test('play: the caller may reuse its array at once', () => {
  const end = new FarEnd();
  const pcm = ramp(1, FRAME_SAMPLES * WINDOW_FRAMES * 2);
  end.playout.play(pcm);
  pcm.fill(7);
  end.drain();
  expect(end.played.at(-1)).toBe((FRAME_SAMPLES * WINDOW_FRAMES * 2) % 30_000);
});

test('play: never more than the window is unplayed at the far end, and all of it arrives', () => {
  const end = new FarEnd();
  end.playout.play(ramp(0, FRAME_SAMPLES * 3_000));
  end.playout.mark('end');
  expect(end.frames).toBe(WINDOW_FRAMES);
  end.drain();
  expect(end.deepest).toBe(WINDOW_FRAMES);
  expect(end.played).toHaveLength(FRAME_SAMPLES * 3_000);
  expect(end.marks).toEqual([`end@${FRAME_SAMPLES * 3_000}`]);
});

test('xoff: holds audio back here, and the mark behind it; xon goes on', () => {
  const end = new FarEnd();
  end.playout.xoff();
  end.playout.play(ramp(0, 8));
  end.playout.mark('behind');
  end.drain();
  expect([end.played, end.marks]).toEqual([[], []]);
  end.playout.xon();
  end.drain();
  expect(end.marks).toEqual(['behind@8']);
});

test('clear: what was queued is not heard, its marks never come back, and what follows is', () => {
  const end = new FarEnd();
  end.playout.play(ramp(0, FRAME_SAMPLES * 1_000 + 1));
  end.playout.mark('old');
  end.tick();
  end.clear();
  end.playout.play(ramp(20_000, 8));
  end.playout.mark('new');
  end.drain();
  expect(end.played).toEqual([0, 1, 2, 3, 20_000, 20_001, 20_002, 20_003, 20_004, 20_005, 20_006, 20_007]);
  expect(end.marks).toEqual(['new@12']);
});

test('clear: a mark that was on its way back is swallowed', () => {
  const { playout } = new FarEnd();
  playout.mark('old');
  playout.clear();
  expect(playout.acknowledge('0:u:old')).toBeUndefined();
  expect(playout.acknowledge('1:u:new:with:colons')).toBe('new:with:colons');
});

test('clear: an XOFF that crossed it on the wire does not silence the next words', () => {
  const end = new FarEnd();
  end.clear();
  end.playout.xoff();
  end.playout.play(ramp(0, 4));
  end.drain();
  expect(end.played).toEqual([0, 1, 2, 3]);
});

test('play: refuses more than three minutes, and queues nothing of it', () => {
  const end = new FarEnd();
  end.playout.xoff();
  end.playout.play(new Int16Array(2_000_000));
  expect(() => end.playout.play(new Int16Array(1_000_000))).toThrow(expect.objectContaining({ code: 'limit_exceeded' }));
  end.playout.mark('small things still fit');
});

type Step = { readonly kind: 'play' | 'tick'; readonly size: number } | { readonly kind: 'mark' | 'clear' | 'xoff' | 'xon' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('play' as const), size: fc.integer({ min: 0, max: 900 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('tick' as const), size: fc.integer({ min: 1, max: 300 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mark' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('clear' as const, 'xoff' as const, 'xon' as const) }) },
);

test('whatever the order of things: marks come exactly behind their audio, nothing is lost after the last clear', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const end = new FarEnd();
      let next = 1;
      let expected: number[] = [];
      let marks: string[] = [];
      for (const [index, { kind, ...rest }] of steps.entries()) {
        if (kind === 'play') {
          const { size } = rest as { size: number };
          end.playout.play(ramp(next, size));
          expected.push(...ramp(next, size));
          next += size;
        } else if (kind === 'mark') {
          while (expected.length % FRAME_SAMPLES !== 0) expected.push(0);
          end.playout.mark(`m${index}`);
          marks.push(`m${index}@${expected.length}`);
        } else if (kind === 'tick') {
          for (let count = 0; count < (rest as { size: number }).size; count += 1) end.tick();
        } else if (kind === 'clear') {
          end.clear();
          // From here on the far end plays only what comes next.
          end.played.length = 0;
          end.marks.length = 0;
          expected = [];
          marks = [];
        } else end.playout[kind]();
      }
      end.playout.xon();
      end.drain();
      const whole = expected.length - (expected.length % FRAME_SAMPLES);
      expect(end.played).toEqual(expected.slice(0, whole));
      expect(end.marks).toEqual(marks);
      expect(end.deepest).toBeLessThanOrEqual(WINDOW_FRAMES);
    }),
    { numRuns: 200 },
  );
});
