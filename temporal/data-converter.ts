import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { EncryptionCodec } from './encryption-codec.ts';
import type { PlatformKeys } from './payload-keys.ts';

export interface EncryptedDataConverter extends DataConverter {
  readonly codec: EncryptionCodec;
}

/** For every client and worker: nobody talks to Temporal about calls in the clear. */
export function encryptedDataConverter(keys: PlatformKeys): EncryptedDataConverter {
  const codec = new EncryptionCodec(keys);
  return { codec, payloadCodecs: [codec], failureConverterPath };
}

export const failureConverterPath = fileURLToPath(new URL('../src/workflows/failure-converter.ts', import.meta.url));
