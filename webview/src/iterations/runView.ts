// How one run is drawn: question, state, iterations with their sections, and what can be done with it.
// Templates only; what a press does is told to the view.
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-icon/index.js';
import '@vscode-elements/elements/dist/vscode-progress-bar/index.js';
import '@vscode-elements/elements/dist/vscode-toolbar-button/index.js';
import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type {
  FailureSnapshot,
  IterationSnapshot,
  RemedyAction,
  RunAction,
  RunSnapshot,
} from '../../../server/src/protocol/index.ts';
import type { ToggleEvent } from '../shared/disclosure.ts';
import { isActive, iterationOpensByItself, openSection, opensByItself } from './viewState.ts';
import {
  decisionWords,
  iterationFacts,
  iterationName,
  remedyTitles,
  sectionFacts,
  sectionNames,
  stateWords,
  unknownCitationWords,
  warnings,
} from './words.ts';

/** What a run's templates need besides the run. */
export interface RunSurroundings {
  /** Seconds since the snapshot. */
  readonly since: number;
  /** What the writer opened and closed, by a name that is unique in the run. */
  readonly toggled: ReadonlyMap<string, boolean>;
  readonly toggle: (name: string, open: boolean) => void;
  readonly stop: () => void;
  readonly act: (action: RunAction) => void;
  readonly remedy: (action: RemedyAction) => void;
}

type Template = TemplateResult | typeof nothing;

export function runTemplate(run: RunSnapshot, around: RunSurroundings): TemplateResult {
  return html`
    ${waitBar(run)}
    <section class="head" aria-label="Question">
      <h1 title=${run.question}>${run.question === '' ? 'Reasoning about this paragraph' : run.question}</h1>
      ${run.paragraph === '' ? nothing : html`<p class="paragraph" title=${run.paragraph}>${run.paragraph}</p>`}
      <p class="state">${stateIcon(run)}<span>${stateWords(run)}</span></p>
    </section>
    ${run.failure ? failureTemplate(run.failure, around) : nothing}
    ${
      run.state === 'finished' && run.message !== null
        ? html`<div class="note"><p>${run.message}</p></div>`
        : nothing
    }
    ${unknownCitationsTemplate(run)} ${iterationsTemplate(run, around)} ${finalTemplate(run, around)}
  `;
}

function unknownCitationsTemplate({ unknownCitations }: RunSnapshot): Template {
  const told = unknownCitationWords(unknownCitations);
  if (told === null) return nothing;
  return html`<ul class="warnings" aria-label="Citations">
    <li><vscode-icon name="warning"></vscode-icon><span>${told}</span></li>
  </ul>`;
}

/** The buttons of a run, which stay in sight while its text scrolls. */
export function actionsTemplate(run: RunSnapshot, around: RunSurroundings): Template {
  if (isActive(run)) {
    return html`<footer>
      <vscode-button secondary block icon="debug-stop" @click=${around.stop}>Stop</vscode-button>
    </footer>`;
  }
  if (run.state !== 'finished') return nothing;
  const decided = decisionWords(run.decision);
  const icon = run.decision === 'reject' ? 'close' : run.decision === 'regenerate' ? 'refresh' : 'check';
  return html`<footer>
    <div class="toolbar" role="group" aria-label="Suggestion">
      ${
        decided === null
          ? html`
              <vscode-button
                @click=${() => {
                  around.act('accept');
                }}
                >Accept</vscode-button
              >
              <vscode-button
                secondary
                @click=${() => {
                  around.act('reject');
                }}
                >Reject</vscode-button
              >
            `
          : html`<span class="decided"><vscode-icon name=${icon}></vscode-icon>${decided}</span>`
      }
      <span class="tools">
        ${
          decided === null
            ? [
                tool('refresh', 'Regenerate', 'regenerate', around),
                tool('compare-changes', 'Compare With Paragraph', 'compare', around),
              ]
            : nothing
        }
        ${tool('go-to-file', 'Reveal in Note', 'reveal', around)}
      </span>
    </div>
  </footer>`;
}

function tool(icon: string, label: string, action: RunAction, around: RunSurroundings): TemplateResult {
  return html`<vscode-toolbar-button
    icon=${icon}
    label=${label}
    title=${label}
    @click=${() => {
      around.act(action);
    }}
  ></vscode-toolbar-button>`;
}

/** How far the model is loaded. Where that is not known the editor's own bar above the view is enough. */
function waitBar({ state, fraction, message }: RunSnapshot): Template {
  if (state !== 'waiting' || fraction === null) return nothing;
  return html`<vscode-progress-bar
    .value=${Math.round(fraction * 100)}
    aria-label=${message ?? 'Waiting'}
  ></vscode-progress-bar>`;
}

function stateIcon({ state }: RunSnapshot): Template {
  const icon = {
    waiting: 'watch',
    running: 'sparkle',
    finished: null,
    stopped: 'debug-stop',
    failed: 'warning',
  }[state];
  return icon === null ? nothing : html`<vscode-icon name=${icon}></vscode-icon>`;
}

function failureTemplate(
  { message, remedy, actions }: FailureSnapshot,
  around: RunSurroundings,
): TemplateResult {
  return html`<div class="failure">
    <p>${message}</p>
    ${remedy === null ? nothing : html`<p>${remedy}</p>`}
    ${
      actions.length === 0
        ? nothing
        : html`<div class="buttons">
            ${actions.map(
              (action, index) =>
                html`<vscode-button
                  ?secondary=${index > 0}
                  @click=${() => {
                    around.remedy(action);
                  }}
                >
                  ${remedyTitles[action]}
                </vscode-button>`,
            )}
          </div>`
    }
  </div>`;
}

function iterationsTemplate(run: RunSnapshot, around: RunSurroundings): Template {
  const { iterations } = run;
  // One iteration needs no heading of its own.
  if (iterations.length === 1 && iterations[0]) return iterationBody(run, iterations[0], 0, 2, around);
  return html`${repeat(
    iterations,
    ({ index }) => index,
    (iteration, position) => {
      const name = `${iteration.index}`;
      const open = around.toggled.get(name) ?? iterationOpensByItself(run, position);
      return html`<preflexor-disclosure
        class="whole"
        level="2"
        heading=${iterationName(iteration.index)}
        facts=${iterationFacts(iteration, run.best)}
        ?open=${open}
        @preflexor-toggle=${(event: ToggleEvent) => {
          around.toggle(name, event.open);
        }}
      >
        ${open ? iterationBody(run, iteration, position, 3, around) : nothing}
      </preflexor-disclosure>`;
    },
  )}`;
}

function iterationBody(
  run: RunSnapshot,
  iteration: IterationSnapshot,
  position: number,
  level: number,
  around: RunSurroundings,
): TemplateResult {
  const doubts = warnings(iteration);
  const writing = openSection(run);
  return html`<div class="iteration">
    ${repeat(
      iteration.sections,
      (_, index) => `${run.key}/${iteration.index}/${index}`,
      (section, index) => {
        const name = `${iteration.index}/${index}`;
        return html`<preflexor-disclosure
          class="section ${section.kind}"
          level=${level}
          heading=${sectionNames[section.kind]}
          facts=${sectionFacts(section, around.since)}
          ?open=${around.toggled.get(name) ?? opensByItself(run, position, index)}
          ?busy=${section === writing}
          @preflexor-toggle=${(event: ToggleEvent) => {
            event.stopPropagation();
            around.toggle(name, event.open);
          }}
        >
          <preflexor-stream .text=${section.text.trimStart()}></preflexor-stream>
        </preflexor-disclosure>`;
      },
    )}
    ${
      doubts.length === 0
        ? nothing
        : html`<ul class="warnings" aria-label="Doubts">
            ${doubts.map((doubt) => html`<li><vscode-icon name="info"></vscode-icon><span>${doubt}</span></li>`)}
          </ul>`
    }
  </div>`;
}

/** With one iteration there is nothing to integrate: the text differs by its marks. */
function finalHeading({ iterations, unknownCitations }: RunSnapshot): string {
  return iterations.length === 1 && unknownCitations.length > 0
    ? 'Suggestion with its unknown citations marked'
    : 'Integrated suggestion';
}

/** The text that integrates all iterations, where it is one of its own. */
function finalTemplate(run: RunSnapshot, around: RunSurroundings): Template {
  if (run.final === null) return nothing;
  return html`<preflexor-disclosure
    class="section answer"
    level="2"
    heading=${finalHeading(run)}
    ?open=${around.toggled.get('final') ?? true}
    @preflexor-toggle=${(event: ToggleEvent) => {
      around.toggle('final', event.open);
    }}
  >
    <preflexor-stream .text=${run.final}></preflexor-stream>
  </preflexor-disclosure>`;
}
