import { ReplyMeter } from './reply-meter.ts';

describe('ReplyMeter', () => {
  test('counts no late audio of frames that come in time, however small or early they are', () => {
    const meter = new ReplyMeter();
    for (let n = 0; n < 10; n++) meter.frame(1_000 + n * 20, 20);
    meter.frame(1_190, 500);
    meter.frame(1_600, 20);
    expect(meter).toMatchObject({ firstMs: 1_000, lastMs: 1_600, underruns: 0, underrunMs: 0, audioMs: 720 });
  });

  test('forgives five milliseconds, and counts all of a longer gap', () => {
    const meter = new ReplyMeter();
    meter.frame(0, 20);
    meter.frame(25, 20);
    expect(meter.underruns).toBe(0);
    meter.frame(60, 20);
    expect(meter).toMatchObject({ underruns: 1, underrunMs: 15 });
    // What was late plays from when it came.
    meter.frame(80, 20);
    expect(meter.underruns).toBe(1);
  });

  test('is quiet since the last of what it received was played', () => {
    const meter = new ReplyMeter();
    expect(meter.quietFor(5_000)).toBe(0);
    meter.frame(1_000, 20);
    meter.frame(1_001, 1_000);
    expect(meter.quietFor(2_520)).toBe(500);
  });

  test('drops at a clear what was not played, and remembers the first clear', () => {
    const meter = new ReplyMeter();
    meter.frame(1_000, 3_000);
    meter.clear(1_500);
    meter.clear(1_700);
    expect(meter).toMatchObject({ clearedMs: 1_500, playedMs: 1_500 });
  });

  test('forgets one reply before the next', () => {
    const meter = new ReplyMeter();
    meter.frame(0, 20);
    meter.frame(500, 20);
    meter.clear(510);
    meter.reset();
    expect(meter).toEqual(new ReplyMeter());
  });
});
