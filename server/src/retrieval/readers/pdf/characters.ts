// The characters of a PDF as letters: ligatures apart, what fonts of TeX keep in odd places put right.

/**
 * What TeX's fonts have in the places of control characters (encodings OT1 and T1, "LaTeX font encodings"), where a PDF
 * does not say what they are: ligatures, dashes and quotes.
 */
const texCharacters: ReadonlyMap<number, string> = new Map([
  [0x0b, 'ff'],
  [0x0c, 'fi'],
  [0x0d, 'fl'],
  [0x0e, 'ffi'],
  [0x0f, 'ffl'],
  [0x10, '“'],
  [0x11, '”'],
  [0x15, '–'],
  [0x16, '—'],
  [0x1b, 'ff'],
  [0x1c, 'fi'],
  [0x1d, 'fl'],
  [0x1e, 'ffi'],
  [0x1f, 'ffl'],
]);
const control = /\p{Cc}/gu;
const besideLetter = /[\p{L}\p{N}]/u;

/**
 * Text without control characters and ligatures, in normal form C. A soft hyphen at the end is a hyphen, others go.
 * A control character beside a letter is taken for what a font of TeX has in its place.
 */
export function cleanText(text: string): string {
  return text
    .replace(/\u00AD$/, '-')
    .replace(/[\u00AD\u200B\uFEFF]/g, '')
    .replace(/[\uFB00-\uFB06]/g, (ligature) => ligature.normalize('NFKC'))
    .replace(control, (character, place: number) => {
      const neighbours = text.charAt(place - 1) + text.charAt(place + 1);
      return (besideLetter.test(neighbours) && texCharacters.get(character.charCodeAt(0))) || ' ';
    })
    .normalize('NFC');
}
