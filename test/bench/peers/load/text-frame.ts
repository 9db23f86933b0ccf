/**
 * A WebSocket text frame from a client (RFC 6455, 5.2), as one buffer to write at once. The library would
 * make two of every frame; ten thousand a second are a tenth of a core.
 *
 *   0x81  0x80|length  mask × 4  payload        up to 125 bytes
 *   0x81  0xfe  length × 2  mask × 4  payload   above
 */
const FINAL_TEXT = 0x81;
const MASKED = 0x80;
const TWO_BYTES = 126;
/** Any will do: it keeps proxies from reading the payload as something else, and there is none. */
const MASK = [0x5a, 0x17, 0xc3, 0x2e] as const;
const MAX_BYTES = 65_535;

/** @param text ASCII. @throws RangeError above 65,535 characters. */
export function textFrame(text: string): Buffer {
  if (text.length > MAX_BYTES) throw new RangeError(`a frame of ${text.length} bytes`);
  const maskAt = text.length < TWO_BYTES ? 2 : 4;
  const frame = Buffer.allocUnsafe(maskAt + MASK.length + text.length);
  frame[0] = FINAL_TEXT;
  frame[1] = MASKED | Math.min(text.length, TWO_BYTES);
  if (maskAt === 4) frame.writeUInt16BE(text.length, 2);
  for (let i = 0; i < MASK.length; i++) frame[maskAt + i] = MASK[i] as number;
  const payloadAt = maskAt + MASK.length;
  frame.write(text, payloadAt, 'latin1');
  for (let i = payloadAt; i < frame.length; i++) frame[i] = (frame[i] as number) ^ (MASK[(i - payloadAt) & 3] as number);
  return frame;
}
