/** Real voices: the callers' lines as they reach a media node. */
import { startSpeaker, type Speaker } from '../support/speaker.ts';
import { ClosedSet } from './ai/closed-set.ts';
import { lines, persona } from './persona.ts';

let speaker: Speaker;
beforeAll(async () => {
  speaker = await startSpeaker();
});
afterAll(() => speaker[Symbol.asyncDispose]());

/** A quieter line with some noise, that begins at any sample. */
function overTheLine(pcm: Int16Array): Int16Array {
  const heard = new Int16Array(pcm.length + 9_000);
  for (let i = 0; i < heard.length; i++) heard[i] = Math.round((pcm[i - 4_037] ?? 0) * 0.7 + Math.sin(i * 12.9898) * 40);
  return heard;
}

test('tells lines apart that differ in a name only, and knows nothing of half a line', async () => {
  const set = new ClosedSet();
  const all = Array.from({ length: 6 }, (_, n) => lines.wish({ ...persona(n), day: 'monday' }));
  const sounds = await Promise.all(all.map((line) => speaker.say(line, 16_000)));
  all.forEach((line, n) => set.learn(line, line, sounds[n] ?? new Int16Array()));
  for (const [n, line] of all.entries()) {
    const heard = overTheLine(sounds[n] ?? new Int16Array());
    expect(set.find(heard).map(({ text }) => text)).toEqual([line]);
    expect(set.find(heard.slice(0, heard.length * 0.6))).toEqual([]);
    expect(set.find(heard.slice(heard.length * 0.35))).toEqual([]);
  }
});

test('finds sentences one after the other, with their times', async () => {
  const set = new ClosedSet();
  const said = ['How can I help you today?', 'What time would you like?'];
  const [first = new Int16Array(), second = new Int16Array()] = await Promise.all(said.map((text) => speaker.say(text, 16_000, 'slt')));
  set.learn('1', said[0] ?? '', first);
  set.learn('2', said[1] ?? '', second);
  const both = new Int16Array(first.length + 4_800 + second.length);
  both.set(second, 0);
  both.set(first, second.length + 4_800);
  const found = set.find(both);
  expect(found.map(({ text }) => text)).toEqual([said[1], said[0]]);
  expect(Math.abs((found[1]?.startMs ?? 0) - (second.length + 4_800) / 16)).toBeLessThan(50);
});
