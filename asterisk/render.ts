/**
 * Templates → configuration text. Pure. A placeholder `{{name}}` without a value, a value without a
 * placeholder, and a value that would change the file's syntax are errors, not surprises at runtime.
 */
export type TemplateValues = Readonly<Record<string, string>>;

const placeholder = /\{\{(\w+)\}\}/g;

/** @throws Error naming the template and the placeholder. Values of null are not a thing: give '' to leave a place empty. */
export function renderTemplate(name: string, template: string, values: TemplateValues): string {
  return template.replaceAll(placeholder, (_, key: string) => {
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    if (value === undefined) throw new Error(`${name}: no value for {{${key}}}`);
    return value;
  });
}

/** Every template of a set; also refuses a value that no template asks for, which is a misspelt one. */
export function renderTemplates(templates: TemplateValues, values: TemplateValues): Record<string, string> {
  const known = new Set(Object.values(templates).flatMap((text) => [...text.matchAll(placeholder)].map((match) => match[1])));
  for (const key of Object.keys(values)) if (!known.has(key)) throw new Error(`No template has a place for ${key}`);
  return Object.fromEntries(Object.entries(templates).map(([name, text]) => [name, renderTemplate(name, text, values)]));
}

/** A value right of `=`: `;` starts a comment unless escaped, the ends are trimmed, a line ends it. */
export function confValue(what: string, value: string): string {
  if (/\p{Cc}/u.test(value)) throw new Error(`${what} must not hold control characters`);
  if (value !== value.trim()) throw new Error(`${what} must not begin or end with a space`);
  if (value.includes('\\')) throw new Error(`${what} must not hold a backslash`);
  return value.replaceAll(';', '\\;');
}

/** A section or user name. */
export function confName(what: string, value: string): string {
  if (!/^[\w.-]{1,80}$/.test(value)) throw new Error(`${what} may hold only letters, digits, '_', '.' and '-'`);
  return value;
}

/** A path that also passes through application arguments of the dialplan. */
export function confPath(what: string, value: string): string {
  if (!/^[^\p{Cc}&,;:|"'\\${}()[\]<>?*!]+$/u.test(value)) {
    throw new Error(`${what} holds a character that Asterisk would not take literally: ${value}`);
  }
  return value;
}

/** A URL as an argument of a dialplan function: what the dialplan would read as its own is percent-encoded. */
export function dialplanUrl(what: string, value: string): string {
  if (!/^https?:\/\//.test(value)) throw new Error(`${what} must be an http or https URL`);
  return new URL(value).href.replaceAll(
    /[,;$"'\\{}()[\]|]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** A telephone number to dial, or '' for none. */
export function dialNumber(what: string, value: string): string {
  if (!/^(\+?[0-9]{3,20})?$/.test(value)) throw new Error(`${what} must be digits with an optional +`);
  return value;
}
