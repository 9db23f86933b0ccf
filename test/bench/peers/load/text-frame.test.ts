import { Receiver } from 'ws';
import { textFrame } from './text-frame.ts';

test.each([1, 125, 126, 65_535])('a frame of %i characters is read by a server of the standard', async (length) => {
  const text = Array.from({ length }, (_, n) => String.fromCharCode(0x20 + (n % 95))).join('');
  const server = new Receiver({ isServer: true });
  const read = new Promise((resolve, reject) => {
    server.on('message', (data: Buffer, isBinary: boolean) => resolve([data.toString(), isBinary]));
    server.on('error', reject);
  });
  server.write(textFrame(text));
  await expect(read).resolves.toEqual([text, false]);
});

test('what does not fit into the length is refused', () => {
  expect(() => textFrame('a'.repeat(65_536))).toThrow(RangeError);
});
