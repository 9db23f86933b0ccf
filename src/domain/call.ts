/** The vocabulary of a call: closed unions shared by the database, the workflow and the media node. */

export const callDirections = ['inbound', 'outbound'] as const;
export type CallDirection = (typeof callDirections)[number];

/** `rejected`, `completed` and `failed` are terminal. */
export const callStatuses = ['initiated', 'in_progress', 'completed', 'failed', 'rejected'] as const;
export type CallStatus = (typeof callStatuses)[number];

/** How a call ended; written exactly once. */
export const dispositions = [
  'completed', // the agent said goodbye: the conversation came to its end
  'caller_hangup', // the caller hung up after having said something
  'abandoned', // the caller hung up before saying anything
  'no_input', // the caller stayed silent through every reminder
  'max_turns',
  'max_duration',
  'operator_hangup',
  'transferred', // an operator sent the caller to somebody else, who answered
  'rejected', // refused at admission: inactive number, suspended tenant, over a limit
  'error', // Holdfast or something it needs failed
] as const;
export type Disposition = (typeof dispositions)[number];

/** Terminal status that belongs to a disposition. */
export function statusForDisposition(disposition: Disposition): CallStatus {
  if (disposition === 'error') return 'failed';
  return disposition === 'rejected' ? 'rejected' : 'completed';
}

export const speakers = ['caller', 'agent'] as const;
export type Speaker = (typeof speakers)[number];

/** Who decided that a call is taken: its workflow, or the API itself while Temporal could not be reached. */
export const admitters = ['workflow', 'fail_open'] as const;
export type Admitter = (typeof admitters)[number];

export const tenantStatuses = ['active', 'suspended', 'deleted'] as const;
export type TenantStatus = (typeof tenantStatuses)[number];
export const tenantPlans = ['starter', 'growth', 'custom'] as const;
export type TenantPlan = (typeof tenantPlans)[number];
export const profileRoles = ['receptionist', 'sales', 'support', 'dispatcher', 'custom'] as const;
export type ProfileRole = (typeof profileRoles)[number];

/** What a live call is doing, as an operator reads it. */
export const callStates = [
  'admitted',
  'connecting',
  'greeting',
  'listening',
  'thinking',
  'speaking',
  'transferring',
  'closing',
  'ended',
] as const;
export type CallState = (typeof callStates)[number];

/** Tools that the agent may call. They run in the worker, never in the media node. */
export const toolNames = ['get_opening_hours', 'check_availability', 'book_appointment', 'end_call'] as const;
export type ToolName = (typeof toolNames)[number];
