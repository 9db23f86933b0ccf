/**
 * The keys of Temporal payloads. All derive (HKDF-SHA256) from the platform's key, one for each tenant
 * and one for payloads that belong to none:
 *
 *     platform key ──HKDF, info "…|tenant:{id}"──▶ key of a tenant      key id "{generation}/tenant:{id}"
 *                  ──HKDF, info "…|platform"────▶ key of the platform  key id "{generation}/platform"
 *
 * `generation` (16 hexadecimal digits) is a fingerprint of the platform's key, so that a payload tells
 * whether the present key or the one before it opens it.
 */
import { hkdfSync } from 'node:crypto';
import { HoldfastError } from '../src/domain/errors.ts';
import { KEY_BYTES } from '../src/lib/sealed-box.ts';

export interface PlatformKeys {
  /** 32 bytes: DATA_ENCRYPTION_KEY. */
  readonly encryption: Uint8Array;
  /** 32 bytes: DATA_ENCRYPTION_KEY_PREVIOUS; opens what was sealed before the rotation. */
  readonly encryptionPrevious?: Uint8Array | undefined;
}

/** Derived keys kept in memory; deriving one again costs microseconds. */
const MAX_CACHED_KEYS = 5_000;
const FINGERPRINT_BYTES = 8;
const KEY_ID = /^([0-9a-f]{16})\/(platform|tenant:([\w-]{1,64}))$/;

export class PayloadKeys {
  readonly #generations = new Map<string, Uint8Array>();
  readonly #current: string;
  readonly #derived = new Map<string, Buffer>();

  constructor({ encryption, encryptionPrevious }: PlatformKeys) {
    this.#current = fingerprint(encryption);
    if (encryptionPrevious !== undefined) this.#generations.set(fingerprint(encryptionPrevious), encryptionPrevious);
    this.#generations.set(this.#current, encryption);
  }

  /** Of the key that seals from now on. */
  keyIdFor(tenantId: string | null): string {
    return `${this.#current}/${tenantId === null ? 'platform' : `tenant:${tenantId}`}`;
  }

  /** @throws HoldfastError config_invalid when the platform's key of that id is not configured. */
  keyOf(keyId: string): Buffer {
    const cached = this.#derived.get(keyId);
    if (cached !== undefined) return cached;
    const [, generation = '', purpose = ''] = KEY_ID.exec(keyId) ?? [];
    const platformKey = this.#generations.get(generation);
    if (platformKey === undefined) {
      const message = `A Temporal payload was sealed under key ${generation || 'of an unknown kind'}: set DATA_ENCRYPTION_KEY_PREVIOUS to it`;
      throw new HoldfastError('config_invalid', message);
    }
    const key = derive(platformKey, purpose, KEY_BYTES);
    if (this.#derived.size >= MAX_CACHED_KEYS) this.#derived.clear();
    this.#derived.set(keyId, key);
    return key;
  }
}

/** null for the platform's own key and for anything that is no key id. */
export const tenantOfKeyId = (keyId: string): string | null => KEY_ID.exec(keyId)?.[3] ?? null;

function derive(platformKey: Uint8Array, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', platformKey, '', `holdfast/temporal-payload/v1|${purpose}`, bytes));
}

const fingerprint = (platformKey: Uint8Array): string => derive(platformKey, 'fingerprint', FINGERPRINT_BYTES).toString('hex');
