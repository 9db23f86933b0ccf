/** A cancelled booking frees its slot. */
export const bookingStatuses = ['confirmed', 'cancelled'] as const;
export type BookingStatus = (typeof bookingStatuses)[number];

/** `failed`: the tool answered that it could not do it; it is as final as `succeeded`. */
export const toolRunStatuses = ['running', 'succeeded', 'failed'] as const;
export type ToolRunStatus = (typeof toolRunStatuses)[number];
