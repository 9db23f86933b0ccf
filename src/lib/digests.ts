import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** HMAC-SHA256, lower-case hexadecimal (64 characters). */
export const hmacSha256 = (key: Uint8Array, text: string): string => createHmac('sha256', key).update(text, 'utf8').digest('hex');

/**
 * Compares secrets without telling by its duration how much of them agrees. Both sides are hashed
 * first, because timingSafeEqual refuses unequal lengths and so would give the length away.
 */
export function secretsEqual(given: string, expected: string): boolean {
  const [left, right] = [given, expected].map((text) => createHash('sha256').update(text, 'utf8').digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
