// The annotation blocks of an open document, read once per version: folding, lenses, symbols and hovers
// all ask for them after each key press.
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { readBlocks, readRawMarkers } from '../notes/index.ts';

type Reading = ReturnType<typeof readBlocks> & { readonly rawMarkers: ReturnType<typeof readRawMarkers> };

/** Reads documents' blocks and remembers each document's last reading. */
export class BlockReader {
  readonly #readings = new WeakMap<TextDocument, { version: number; reading: Reading }>();

  read(document: TextDocument): Reading {
    const known = this.#readings.get(document);
    if (known?.version === document.version) return known.reading;
    const text = document.getText();
    const reading = { ...readBlocks(text), rawMarkers: readRawMarkers(text) };
    this.#readings.set(document, { version: document.version, reading });
    return reading;
  }
}
