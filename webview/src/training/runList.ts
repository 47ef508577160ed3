// The runs of the folder, with a box for each of their curves: legend and choice in one. Templates only.
import '@vscode-elements/elements/dist/vscode-icon/index.js';
import { html, nothing, svg, type TemplateResult } from 'lit';
import type { TrainingRunEntry } from '../../../server/src/protocol/index.ts';
import { curveKey, type TrainingState } from './trainingState.ts';
import { entryWords, partName, progressWords, runName, stateIcons } from './words.ts';

export interface RunListActions {
  readonly language: string;
  readonly choose: (run: string) => void;
  readonly draw: (run: string, key: string, on: boolean) => void;
  /** Draws curves of a run whose parts are not known yet. */
  readonly compare: (run: string) => void;
}

export function runListTemplate(state: TrainingState, act: RunListActions): TemplateResult {
  return html`<nav class="runs" aria-label="Training runs">
    <ul>
      ${state.runs.map((entry) => runTemplate(entry, state, act))}
    </ul>
  </nav>`;
}

function runTemplate(entry: TrainingRunEntry, state: TrainingState, act: RunListActions): TemplateResult {
  const { run } = entry;
  const detail = state.details.get(run);
  const isChosen = run === state.chosen;
  return html`<li class=${isChosen ? 'run chosen' : 'run'}>
    <button
      type="button"
      class="name"
      aria-current=${isChosen ? 'true' : 'false'}
      @click=${() => {
        act.choose(run);
      }}
    >
      <vscode-icon
        name=${stateIcons[entry.state]}
        ?spin=${entry.state === 'running'}
        spin-duration="2"
      ></vscode-icon>
      <span>${runName(run)}</span>
    </button>
    <p class="facts">${entryWords(entry, act.language)}</p>
    ${
      detail
        ? detail.parts.map((part) => {
            const key = curveKey(run, part.part);
            const colour = state.shown.indexOf(key);
            return html`<label class="curve">
              <input
                type="checkbox"
                .checked=${colour >= 0}
                @change=${(event: Event) => {
                  if (event.target instanceof HTMLInputElement) act.draw(run, key, event.target.checked);
                }}
              />
              ${colour < 0 ? nothing : swatch(colour)}
              <span class="part">${partName(part)}</span>
              <span class="facts">${progressWords(part, entry.state === 'running')}</span>
            </label>`;
          })
        : html`<button
            type="button"
            class="compare"
            @click=${() => {
              act.compare(run);
            }}
          >
            Draw its curves too
          </button>`
    }
  </li>`;
}

/** The colour in which a curve is drawn: by a class, as styles in the page are forbidden. */
function swatch(colour: number): TemplateResult {
  return html`<svg class="swatch colour-${colour % 6}" viewBox="0 0 16 4" aria-hidden="true">
    ${svg`<line x1="0" y1="2" x2="16" y2="2" />`}
  </svg>`;
}
