import { formatTalkLine, TalkLines } from '../../setup/demo/live-terminal.ts';

const texts = (lines: readonly { readonly text: string }[]): string[] => lines.map((line) => line.text);

describe('TalkLines', () => {
  it('holds a line back until its words have come, and what follows it too', () => {
    const lines = new TalkLines();
    lines.agentOn(400);
    lines.callerSays('stop', 3_000, true);
    expect(lines.take(3_100)).toEqual([]);
    lines.agentOff(3_300);
    lines.agentWords('We are open', 380, true);
    expect(lines.take(3_500)).toEqual([
      { who: 'agent', atMs: 400, text: 'We are open', latencyMs: 400, interrupted: true },
      { who: 'caller', atMs: 3_000, text: 'stop', latencyMs: null, interrupted: true },
    ]);
  });

  it('gives the latency from the end of the last line to the first sound of its answer', () => {
    const lines = new TalkLines();
    lines.callerSays('hello', 1_000, false);
    lines.callerFinished(2_000);
    lines.agentOn(2_650);
    lines.agentOff(3_000);
    lines.agentOn(3_100);
    lines.agentOff(3_500);
    lines.agentWords('Good morning.', 2_640, false);
    expect(lines.take(3_600)).toEqual([
      expect.objectContaining({ text: 'hello' }),
      expect.objectContaining({ text: 'Good morning.', latencyMs: 650 }),
    ]);
  });

  it('shows a line without words when none come', () => {
    const lines = new TalkLines();
    lines.agentOn(400);
    lines.agentOff(1_000);
    expect(lines.take(4_900)).toEqual([]);
    expect(texts(lines.take(5_000))).toEqual(['…']);
  });

  it('leaves nothing behind at the end', () => {
    const lines = new TalkLines();
    lines.agentOn(400);
    lines.callerSays('bye', 500, true);
    expect(texts(lines.take(600, true))).toEqual(['…', 'bye']);
    expect(lines.take(600, true)).toEqual([]);
  });
});

describe('formatTalkLine', () => {
  it('aligns both sides and marks an interruption', () => {
    const caller = formatTalkLine({ who: 'caller', atMs: 7_340, text: 'stop', latencyMs: null, interrupted: true }, false);
    const agent = formatTalkLine({ who: 'agent', atMs: 68_000, text: 'Yes.', latencyMs: 712, interrupted: false }, false);
    expect(caller).toBe('  0:07.3  Caller ⟂ stop');
    expect(agent).toBe('  1:08.0  Agent    Yes.  712 ms');
    expect(caller.indexOf('stop')).toBe(agent.indexOf('Yes'));
  });
});
