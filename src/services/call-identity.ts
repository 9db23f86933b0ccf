import { uuidV5 } from '../lib/uuid.ts';

/** Never changes: it makes the record id, and so the workflow, of a call that is announced twice the same. */
const CALL_NAMESPACE = '0d6d24b3-5d4e-4c0a-9f2f-b7c3a3b0f6d1';

/** The call record id that belongs to a PBX's call id. */
export const callRecordIdFor = (pbxCallId: string): string => uuidV5(pbxCallId, CALL_NAMESPACE);
