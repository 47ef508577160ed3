// Text that grows: what is new is appended to text nodes, one block per line, so that a long text stays cheap.
// Text is only ever text here: no HTML is made of it.

/** `<preflexor-stream>`; its `textContent` is always exactly the text it was given. */
export class StreamText extends HTMLElement {
  #shown = '';
  /** The text node of the line that is not ended yet. */
  #open: Text | null = null;

  get text(): string {
    return this.#shown;
  }

  set text(value: string) {
    if (value === this.#shown) return;
    if (!value.startsWith(this.#shown)) {
      this.replaceChildren();
      this.#open = null;
      this.#shown = '';
    }
    this.#append(value.slice(this.#shown.length));
    this.#shown = value;
  }

  #append(text: string): void {
    for (const piece of text.split(/(?<=\n)/)) {
      if (this.#open) {
        this.#open.appendData(piece);
      } else {
        this.#open = document.createTextNode(piece);
        const line = document.createElement('div');
        line.append(this.#open);
        this.append(line);
      }
      if (piece.endsWith('\n')) this.#open = null;
    }
  }
}

customElements.define('preflexor-stream', StreamText);

declare global {
  interface HTMLElementTagNameMap {
    'preflexor-stream': StreamText;
  }
}
