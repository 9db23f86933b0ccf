/**
 * Everything that Temporal stores is sealed here on its way out and opened on its way in: arguments,
 * results, signals, updates, heartbeats, failures, summaries and details.
 *
 *     metadata: encoding = "binary/encrypted", encryption-key-id = "{generation}/tenant:{id}"
 *     data:     sealed box (src/lib/sealed-box.ts) of the encoded Payload, bound to its key id
 *
 * The tenant's key is used as soon as the call's tenant is known: from the payload itself, or from an
 * earlier one of the same workflow. Before admission nobody knows it, and what names no tenant at all
 * belongs to the platform: both are sealed under the platform's key.
 */
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { HoldfastError } from '../src/domain/errors.ts';
import { open, seal } from '../src/lib/sealed-box.ts';
import { PayloadKeys, tenantOfKeyId, type PlatformKeys } from './payload-keys.ts';

/** The part of the SDK's SerializationContext that is used here. */
export interface PayloadOwner {
  readonly workflowId?: string | undefined;
}

export const ENCRYPTED_ENCODING = 'binary/encrypted';
export const KEY_ID_FIELD = 'encryption-key-id';
/** Workflows whose tenant is remembered; one that is forgotten is learned again from its next payload that tells. */
const MAX_KNOWN_WORKFLOWS = 20_000;

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

export class EncryptionCodec implements PayloadCodec {
  readonly #keys: PayloadKeys;
  readonly #tenants = new Map<string, string>();

  constructor(keys: PlatformKeys) {
    this.#keys = new PayloadKeys(keys);
  }

  async encode(payloads: Payload[], owner?: PayloadOwner): Promise<Payload[]> {
    const tenantId = this.#tenantOf(payloads, owner);
    return payloads.map((payload) => (isEncrypted(payload) ? payload : this.#seal(payload, tenantId)));
  }

  /** What is not encrypted passes through: histories from before encryption stay readable. */
  async decode(payloads: Payload[], owner?: PayloadOwner): Promise<Payload[]> {
    return payloads.map((payload) => (isEncrypted(payload) ? this.#open(payload, owner) : payload));
  }

  /** For who knows a workflow's tenant before any payload told it. */
  learn(workflowId: string, tenantId: string): void {
    this.#tenants.delete(workflowId);
    this.#tenants.set(workflowId, tenantId);
    if (this.#tenants.size <= MAX_KNOWN_WORKFLOWS) return;
    for (const oldest of this.#tenants.keys()) {
      this.#tenants.delete(oldest);
      break;
    }
  }

  #tenantOf(payloads: readonly Payload[], owner: PayloadOwner | undefined): string | null {
    const known = owner?.workflowId === undefined ? undefined : this.#tenants.get(owner.workflowId);
    if (known !== undefined) return known;
    const named = namedTenant(payloads);
    if (named !== null && owner?.workflowId !== undefined) this.learn(owner.workflowId, named);
    return named;
  }

  #seal(payload: Payload, tenantId: string | null): Payload {
    const keyId = this.#keys.keyIdFor(tenantId);
    const plain = PayloadMessage.encode(PayloadMessage.create(payload)).finish();
    return {
      metadata: { encoding: Buffer.from(ENCRYPTED_ENCODING), [KEY_ID_FIELD]: Buffer.from(keyId) },
      data: seal(this.#keys.keyOf(keyId), plain, boxContext(keyId)),
    };
  }

  #open(payload: Payload, owner: PayloadOwner | undefined): Payload {
    const keyId = text(payload.metadata?.[KEY_ID_FIELD]);
    const key = this.#keys.keyOf(keyId);
    const tenantId = tenantOfKeyId(keyId);
    if (tenantId !== null && owner?.workflowId !== undefined) this.learn(owner.workflowId, tenantId);
    try {
      return PayloadMessage.decode(open(key, payload.data ?? new Uint8Array(), boxContext(keyId)));
    } catch (cause) {
      throw new HoldfastError('internal', 'A Temporal payload was changed after it was sealed', { cause });
    }
  }
}

export const isEncrypted = (payload: Payload): boolean => text(payload.metadata?.['encoding']) === ENCRYPTED_ENCODING;

const boxContext = (keyId: string): string => `temporal-payload|${keyId}`;
const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

/** The one tenant that these values name, at the places where the contracts put it; null for none. */
function namedTenant(payloads: readonly Payload[]): string | null {
  for (const payload of payloads) {
    const value = jsonOf(payload);
    for (const part of [value, value?.['plan'], value?.['response']]) {
      const tenantId = isRecord(part) ? (part['tenantId'] ?? part['tenant_id']) : null;
      if (typeof tenantId === 'string' && /^[\w-]{1,64}$/.test(tenantId)) return tenantId;
    }
  }
  return null;
}

function jsonOf(payload: Payload): Record<string, unknown> | null {
  const data = text(payload.data);
  if (!data.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(data);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
