/** The few instructions that Twilio gets. */
const XML = '<?xml version="1.0" encoding="UTF-8"?>';
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

export interface StreamInstruction {
  readonly url: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Asked when the stream has ended, however. */
  readonly goOnUrl: string;
}

export function streamTwiml({ url, parameters, goOnUrl }: StreamInstruction): string {
  const given = Object.entries(parameters).map(([name, value]) => `<Parameter name="${xml(name)}" value="${xml(value)}"/>`);
  return response(
    `<Connect><Stream url="${xml(url)}">${given.join('')}</Stream></Connect><Redirect method="POST">${xml(goOnUrl)}</Redirect>`,
  );
}

/** Costs nothing: the call is not answered. */
export const rejectTwiml = (reason: 'busy' | 'rejected'): string => response(`<Reject reason="${reason}"/>`);

export const sayTwiml = (text: string): string => response(`<Say>${xml(text)}</Say><Hangup/>`);

export const hangupTwiml = (): string => response('<Hangup/>');

const response = (instructions: string): string => `${XML}<Response>${instructions}</Response>`;

const xml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
