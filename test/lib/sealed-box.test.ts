import { newDataKey, open, seal } from '../../src/lib/sealed-box.ts';

const key = Buffer.alloc(32, 7);

test('seal and open give back what was put in, and never look the same twice', () => {
  const boxes = [1, 2].map(() => seal(key, Buffer.from('+12025550199'), 'call:1'));
  for (const box of boxes) expect(open(key, box, 'call:1').toString()).toBe('+12025550199');
  expect(boxes[0]).not.toEqual(boxes[1]);
  expect(boxes[0]?.toString('latin1')).not.toContain('2025550199');
});

test('a box begins with its key id, a 12-byte nonce and a 16-byte tag', () => {
  const box = seal(key, Buffer.from('abc'), '');
  expect(box).toHaveLength(1 + 12 + 16 + 3);
  expect(box[0]).toBe(1);
});

test('a box does not open for another context, with another key, or when any byte of it is changed', () => {
  const box = seal(key, Buffer.from('secret'), 'call:1');
  expect(() => open(key, box, 'call:2')).toThrow();
  expect(() => open(newDataKey(), box, 'call:1')).toThrow();
  for (let at = 0; at < box.length; at++) {
    const changed = Buffer.from(box);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => open(key, changed, 'call:1')).toThrow();
  }
  expect(() => open(key, box.subarray(0, 20), 'call:1')).toThrow('too short');
});
