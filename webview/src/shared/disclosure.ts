// A section that opens and closes: a heading with a button in it. (The library's own collapsible can't be worked
// with the space bar and does not tell its state to a screen reader.)
import '@vscode-elements/elements/dist/vscode-icon/index.js';
import { LitElement, css, html, nothing, type TemplateResult } from 'lit';

/** Sent when the writer opens or closes it; who shows it decides what follows. */
export class ToggleEvent extends Event {
  readonly open: boolean;

  constructor(open: boolean) {
    super('preflexor-toggle', { bubbles: true, composed: true });
    this.open = open;
  }
}

export class Disclosure extends LitElement {
  static override readonly properties = {
    heading: { type: String },
    facts: { type: String },
    level: { type: Number },
    open: { type: Boolean, reflect: true },
    busy: { type: Boolean, reflect: true },
  };

  declare heading: string;
  /** Less prominent text after the heading. */
  declare facts: string;
  /** Level of the heading in the page's outline. */
  declare level: number;
  declare open: boolean;
  /** Its content is being written. */
  declare busy: boolean;

  constructor() {
    super();
    this.heading = '';
    this.facts = '';
    this.level = 3;
    this.open = false;
    this.busy = false;
  }

  static override readonly styles = css`
    :host {
      display: block;
    }
    .heading {
      font: inherit;
      margin: 0;
    }
    button {
      align-items: center;
      background: transparent;
      border: 0;
      border-radius: 3px;
      color: inherit;
      cursor: pointer;
      display: flex;
      font: inherit;
      gap: 4px;
      line-height: 22px;
      margin: 0;
      min-height: 24px;
      padding: 0 6px 0 2px;
      text-align: start;
      width: 100%;
    }
    button:hover {
      background: var(--vscode-list-hoverBackground);
    }
    button:focus-visible {
      outline: 1px solid var(--vscode-focusBorder);
      outline-offset: -1px;
    }
    vscode-icon {
      color: var(--vscode-icon-foreground, currentColor);
      flex: none;
    }
    .name {
      flex: none;
      font-weight: 600;
    }
    .facts {
      color: var(--vscode-descriptionForeground);
      font-variant-numeric: tabular-nums;
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    .busy {
      animation: pulse 1.6s ease-in-out infinite;
      background: var(--vscode-progressBar-background, currentColor);
      border-radius: 50%;
      flex: none;
      height: 6px;
      margin-inline: 4px 2px;
      width: 6px;
    }
    @keyframes pulse {
      50% {
        opacity: 0.25;
      }
    }
    @media (prefers-reduced-motion: reduce) {
      .busy {
        animation: none;
      }
    }
    @media (forced-colors: active) {
      button {
        border: 1px solid transparent;
      }
    }
  `;

  protected override render(): TemplateResult {
    return html`
      <div class="heading" role="heading" aria-level=${this.level}>
        <button type="button" aria-expanded=${this.open ? 'true' : 'false'} @click=${this.#toggle}>
          <vscode-icon name=${this.open ? 'chevron-down' : 'chevron-right'}></vscode-icon>
          <span class="name">${this.heading}</span>
          ${this.busy ? html`<span class="busy" aria-hidden="true"></span>` : nothing}
          <span class="facts">${this.facts}</span>
        </button>
      </div>
      <div class="content" ?hidden=${!this.open}><slot></slot></div>
    `;
  }

  readonly #toggle = (): void => {
    this.dispatchEvent(new ToggleEvent(!this.open));
  };
}

customElements.define('preflexor-disclosure', Disclosure);

declare global {
  interface HTMLElementTagNameMap {
    'preflexor-disclosure': Disclosure;
  }
}
