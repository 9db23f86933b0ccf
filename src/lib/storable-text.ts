/** PostgreSQL cannot store U+0000, and a trunk, a recogniser or a language model may send it. */
export const storableText = (text: string): string => text.replaceAll('\u0000', '');
