/** What operators may ask of a live call beyond its end. Pure rules, shared by every boundary it crosses. */

export type SteerCommand =
  /** The agent says this. */
  | { readonly kind: 'say'; readonly text: string }
  /** The caller goes to a SIP address. */
  | { readonly kind: 'transfer'; readonly to: string };

export const SAY_MAX_CHARACTERS = 500;
const SIP_ADDRESS_MAX_CHARACTERS = 300;

/**
 * sip:user@host[:port]. Nothing else that SIP would allow: parameters and headers could say more than
 * where the call goes, and the PBX's dialplan claims many characters for itself.
 */
const SIP_ADDRESS = /^sip:[A-Za-z0-9+._-]{1,64}@([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?::[1-9]\d{0,4})?$/;

export function isSayText(text: unknown): text is string {
  // oxlint-disable-next-line no-control-regex -- they are what is refused: a new line is no part of a sentence
  return typeof text === 'string' && text.trim() !== '' && text.length <= SAY_MAX_CHARACTERS && !/[\u0000-\u001f\u007f]/.test(text);
}

export function isSipAddress(address: unknown): address is string {
  return typeof address === 'string' && address.length <= SIP_ADDRESS_MAX_CHARACTERS && SIP_ADDRESS.test(address);
}

/** Lower case, without the port; empty when it is no SIP address. */
export const hostOfSipAddress = (address: string): string => (SIP_ADDRESS.exec(address)?.[1] ?? '').toLowerCase();
