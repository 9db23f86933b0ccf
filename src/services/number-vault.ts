/**
 * Callers' numbers: HMAC-SHA256 to find them, AES-256-GCM to show them, never in the clear at rest.
 * Each tenant has a data key of its own, kept wrapped under the platform's key, so that erasing a
 * tenant's row makes its numbers unreadable in every backup.
 */
import { hmacSha256 } from '../lib/digests.ts';
import { newDataKey, open, seal } from '../lib/sealed-box.ts';

export interface VaultKeys {
  /** 32 bytes: DATA_ENCRYPTION_KEY. */
  readonly encryption: Uint8Array;
  /** 32 bytes: DATA_ENCRYPTION_KEY_PREVIOUS; still opens. */
  readonly encryptionPrevious?: Uint8Array | undefined;
  /** 32 bytes: NUMBER_HASH_KEY. */
  readonly numberHash: Uint8Array;
}

/** Whose number of which call a box holds; a box does not open for another. */
export interface SealedNumberOwner {
  readonly tenantId: string;
  readonly callId: string;
  readonly wrappedDataKey: Uint8Array;
}

const WITHHELD = /^(|anonymous|restricted|unavailable|unknown|private|withheld)$/i;

export class NumberVault {
  readonly #keys: VaultKeys;

  constructor(keys: VaultKeys) {
    this.#keys = keys;
  }

  /** Under the platform's key, base64, for the way through Temporal; null when the number is withheld. */
  sealInTransit(rawNumber: string, callRecordId: string): string | null {
    const number = rawNumber.trim();
    if (WITHHELD.test(number)) return null;
    return seal(this.#keys.encryption, Buffer.from(number, 'utf8'), transitContext(callRecordId)).toString('base64');
  }

  openInTransit(sealed: string | null, callRecordId: string): string | null {
    if (sealed === null) return null;
    return this.#openPlatform(Buffer.from(sealed, 'base64'), transitContext(callRecordId)).toString('utf8');
  }

  /** A new data key for a tenant, wrapped. */
  newWrappedKey(tenantId: string): Buffer {
    return seal(this.#keys.encryption, newDataKey(), wrapContext(tenantId));
  }

  /** The same data key under the present platform key; null when it is wrapped under it already. */
  rewrapped(tenantId: string, wrappedDataKey: Uint8Array): Buffer | null {
    const context = wrapContext(tenantId);
    try {
      open(this.#keys.encryption, wrappedDataKey, context);
      return null;
    } catch {
      return seal(this.#keys.encryption, this.#openPlatform(wrappedDataKey, context), context);
    }
  }

  /** Differs between tenants for the same number, so that tables cannot be joined across them. */
  hash(tenantId: string, e164: string): string {
    return hmacSha256(this.#keys.numberHash, `${tenantId}|${e164}`);
  }

  sealNumber(number: string, owner: SealedNumberOwner): Buffer {
    return seal(this.#dataKey(owner), Buffer.from(number, 'utf8'), numberContext(owner));
  }

  openNumber(sealed: Uint8Array, owner: SealedNumberOwner): string {
    return open(this.#dataKey(owner), sealed, numberContext(owner)).toString('utf8');
  }

  #dataKey(owner: SealedNumberOwner): Buffer {
    return this.#openPlatform(owner.wrappedDataKey, wrapContext(owner.tenantId));
  }

  /** Sealed under the platform's key, the present one or the one before. */
  #openPlatform(box: Uint8Array, context: string): Buffer {
    const { encryption, encryptionPrevious } = this.#keys;
    if (encryptionPrevious === undefined) return open(encryption, box, context);
    try {
      return open(encryption, box, context);
    } catch {
      return open(encryptionPrevious, box, context);
    }
  }
}

const transitContext = (callRecordId: string): string => `transit|call:${callRecordId}`;
const wrapContext = (tenantId: string): string => `data-key|tenant:${tenantId}`;
const numberContext = (owner: SealedNumberOwner): string => `caller-number|tenant:${owner.tenantId}|call:${owner.callId}`;
