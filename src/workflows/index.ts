/** The bundle's entry: every export is a workflow type. */
export { inboundCall } from './inbound-call.ts';
export { janitor } from './janitor.ts';
