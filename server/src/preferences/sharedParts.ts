// What many records of a ledger have in common, held in memory once: decisions on one run share its prompt, those on
// one paragraph its text. Changes nothing that can be seen of a record.
import type { LedgerRecord, Provenance } from '../protocol/index.ts';

export class SharedParts {
  readonly #texts = new Map<string, string>();
  readonly #provenances = new Map<string, Provenance[]>();

  /** Puts parts that were there before in the place of their equals. The record is nobody else's yet. */
  share(record: LedgerRecord): void {
    const { texts, note, provenance } = record;
    texts.question = this.#text(texts.question);
    texts.paragraph = this.#text(texts.paragraph);
    note.path = this.#text(note.path);
    note.hash = this.#text(note.hash);
    if (texts.result === texts.offered) texts.result = texts.offered;
    if (provenance) record.provenance = this.#provenance(provenance);
  }

  #text(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }

  #provenance(provenance: Provenance): Provenance {
    const known = this.#provenances.get(provenance.prompt);
    const equal = known?.find((one) => isSame(one, provenance));
    if (equal) return equal;
    if (known) known.push(provenance);
    else this.#provenances.set(provenance.prompt, [provenance]);
    return provenance;
  }
}

/** Whether two values out of JSON are equal, with fields that no schema names. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [names, others] = [Object.keys(one), Object.keys(other)];
  if (names.length !== others.length) return false;
  // In the same order too: what is written again is then the same text.
  return names.every(
    (name, at) => name === others[at] && isSame(Reflect.get(one, name), Reflect.get(other, name)),
  );
}
