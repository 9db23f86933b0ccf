/**
 * AES-256-GCM with a self-describing envelope, so that keys and formats can be rotated later:
 *
 *     0        1               13              29
 *     +--------+---------------+---------------+------------------+
 *     | key id | nonce (12 B)  | tag (16 B)    | ciphertext (…)   |
 *     +--------+---------------+---------------+------------------+
 *
 * The key id and the caller's `context` are authenticated: a box moved to another row, tenant or
 * key id does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES + TAG_BYTES;
export const KEY_BYTES = 32;
/** The only key generation so far. */
const CURRENT_KEY_ID = 1;

/** @param context what the box belongs to, e.g. "tenant:…|call:…"; must be the same on opening. */
export function seal(key: Uint8Array, plain: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(CURRENT_KEY_ID, context));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.from([CURRENT_KEY_ID]), nonce, cipher.getAuthTag(), ciphertext]);
}

/** @throws Error when the box was cut, changed, sealed with another key or for another context. */
export function open(key: Uint8Array, box: Uint8Array, context: string): Buffer {
  if (box.length < HEADER_BYTES) throw new Error('sealed box is too short');
  const keyId = box[0] ?? 0;
  if (keyId !== CURRENT_KEY_ID) throw new Error(`sealed box names an unknown key id ${keyId}`);
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(1, 1 + NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(keyId, context));
  decipher.setAuthTag(box.subarray(1 + NONCE_BYTES, HEADER_BYTES));
  return Buffer.concat([decipher.update(box.subarray(HEADER_BYTES)), decipher.final()]);
}

/** A tenant's data key: 32 random bytes that exist in the clear only in memory. */
export const newDataKey = (): Buffer => randomBytes(KEY_BYTES);

function associatedData(keyId: number, context: string): Buffer {
  return Buffer.concat([Buffer.from([keyId]), Buffer.from(context, 'utf8')]);
}
