import type { MediaLeg } from '../../src/media/legs/leg.ts';
import { Playback } from '../../src/media/playback.ts';

/** A leg with a playout clock that the test turns by hand; a clear drops marks silently, as Asterisk does. */
class HandCrankedLeg implements MediaLeg {
  readonly sampleRate = 16_000;
  readonly #queue: (number | string)[] = [];
  readonly marks: (id: string) => void;
  played = 0;

  constructor(marks: (id: string) => void) {
    this.marks = marks;
  }

  play(pcm: Int16Array): void {
    this.#queue.push(pcm.length);
  }
  mark(id: string): void {
    this.#queue.push(id);
  }
  pause(): void {}
  resume(): void {}
  clear(): void {
    this.#queue.length = 0;
  }
  async close(): Promise<void> {}

  /** Plays up to `ms` of what is queued. */
  turn(ms: number): void {
    let samples = ms * 16;
    while (this.#queue.length > 0) {
      const head = this.#queue[0] as number | string;
      if (typeof head === 'string') {
        this.#queue.shift();
        this.marks(head);
        continue;
      }
      if (samples <= 0) return;
      const now = Math.min(head, samples);
      samples -= now;
      this.played += now;
      if (now === head) this.#queue.shift();
      else this.#queue[0] = head - now;
    }
  }
}

function set() {
  let audible = 0;
  let quiet = 0;
  const leg: HandCrankedLeg = new HandCrankedLeg((id) => playback.reached(id));
  const playback: Playback = new Playback(leg, { onAudible: () => void audible++, onQuiet: () => void quiet++ });
  playback.begin();
  return { leg, playback, audible: () => audible, quiet: () => quiet };
}
const seconds = (count: number) => new Int16Array(16_000 * count);

describe('Playback', () => {
  test('what was heard follows the playout, in words', () => {
    const { leg, playback } = set();
    const segment = playback.segment('one two three four five six seven eight nine ten');
    segment.write(seconds(2));
    segment.finish();
    leg.turn(1_000);
    // Marks lie every 200 ms: the last one passed stands at 820 ms.
    expect(playback.heardText()).toBe('one two three four');
    leg.turn(1_000);
    expect(playback.heardText()).toBe('one two three four five six seven eight nine ten');
  });

  test('is audible once, with its first frame', () => {
    const { leg, playback, audible } = set();
    playback.segment('hello there').write(seconds(1));
    expect(audible()).toBe(0);
    leg.turn(20);
    expect(audible()).toBe(1);
    leg.turn(500);
    expect(audible()).toBe(1);
  });

  test('is drained when the caller has heard every segment, not when it was sent', async () => {
    const { leg, playback } = set();
    for (const text of ['first', 'second']) {
      const segment = playback.segment(text);
      segment.write(new Int16Array(16_007));
      segment.finish();
    }
    let drained = false;
    void playback.drained().then(() => (drained = true));
    leg.turn(1_900);
    await Promise.resolve();
    expect(drained).toBe(false);
    leg.turn(200);
    await Promise.resolve();
    expect(drained).toBe(true);
  });

  test('after a cut nothing more is sent, and late marks of the old speech count for nothing', () => {
    const { leg, playback } = set();
    const segment = playback.segment('one two three four');
    segment.write(seconds(1));
    leg.turn(500);
    playback.cut();
    const played = leg.played;
    segment.write(seconds(1));
    segment.finish();
    leg.turn(2_000);
    expect(leg.played).toBe(played);
    expect(playback.heardText()).not.toBe('');
    playback.begin();
    playback.reached('1.0.16000');
    expect(playback.heardText()).toBe('');
  });

  test('a speech whose sound has run out, and that is not over, is quiet until more is heard', () => {
    const { leg, playback, audible, quiet } = set();
    const first = playback.segment('first');
    first.write(seconds(1));
    first.finish();
    leg.turn(500);
    expect([audible(), quiet()]).toEqual([1, 0]);
    leg.turn(600);
    expect(quiet()).toBeGreaterThan(0);
    const before = audible();
    const second = playback.segment('second');
    second.write(seconds(1));
    leg.turn(100);
    expect(audible()).toBe(before + 1);
  });

  test('a speech that is over is not quiet but finished', async () => {
    const { leg, playback, quiet } = set();
    const only = playback.segment('only');
    only.write(seconds(1));
    only.finish();
    const drained = playback.drained();
    leg.turn(1_100);
    await drained;
    expect(quiet()).toBe(0);
  });

  test('a filler is heard before the speech, outlives its beginning, and counts as no word of it', () => {
    const { leg, playback, audible } = set();
    let heard = 0;
    playback.fill(seconds(1), () => void heard++);
    playback.begin();
    const segment = playback.segment('the answer');
    segment.write(seconds(1));
    segment.finish();
    leg.turn(500);
    expect([audible(), heard, playback.heardText()]).toEqual([0, 0, '']);
    leg.turn(400);
    expect([audible(), heard, playback.heardText()]).toEqual([0, 1, '']);
    leg.turn(2_000);
    expect([audible() > 0, heard, playback.heardText()]).toEqual([true, 1, 'the answer']);
  });

  test('a filler stops when it is hushed, or when the speech is cut', () => {
    for (const stop of ['hush', 'cut'] as const) {
      const { leg, playback } = set();
      let heard = 0;
      playback.fill(seconds(1), () => void heard++);
      leg.turn(200);
      playback[stop]();
      leg.turn(2_000);
      expect([leg.played, heard]).toEqual([3_200, 0]);
    }
  });
});
