// Finds what looks like personal data or a secret in a text: e-mail addresses, keys and tokens, telephone numbers.
// A flag for the writer, no proof: it names the kind and never repeats what it found.

export type PersonalData = 'an e-mail address' | 'a key or password' | 'a telephone number';

const email = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,5}/u;
/** Forms that issuers give their keys, private key blocks, and values assigned to a name that says what it is. */
const keys = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,}/,
  /\bgh[pousr]_[A-Za-z0-9]{30,}/,
  /\bgithub_pat_[A-Za-z0-9_]{30,}/,
  /\bglpat-[A-Za-z0-9_-]{20,}/,
  /\bhf_[A-Za-z0-9]{30,}/,
  /\bxox[abprs]-[A-Za-z0-9-]{10,}/,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  /\bAIza[A-Za-z0-9_-]{35}/,
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
  /\b(?:api[_-]?key|secret|passwor[dt]|passwd|token)["']?\s*[:=]\s*["']?(?=[^\s"']*\d)[^\s"']{8,}/i,
];
/** With a country's code, or with brackets or the usual separators, so that measurements and years are none. */
const phone =
  /(?<![\w.])(?:\+\d{1,3}[ ./-]?(?:\(0?\d{1,4}\)[ ./-]?)?\d{1,4}(?:[ ./-]?\d{2,4}){2,4}|\(0?\d{2,4}\)[ -]?\d{3,4}[ -]?\d{3,5}|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,5}|\d{3}[-.]\d{3}[-.]\d{4})(?![\w.]*\d)/;

/** The kinds that occur in a text. */
export function personalDataIn(text: string): PersonalData[] {
  return [
    ...(email.test(text) ? ['an e-mail address' as const] : []),
    ...(keys.some((form) => form.test(text)) ? ['a key or password' as const] : []),
    ...(phone.test(text) ? ['a telephone number' as const] : []),
  ];
}
