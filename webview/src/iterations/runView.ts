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
  IterationAction,
  IterationSnapshot,
  Rating,
  RemedyAction,
  RunAction,
  RunSnapshot,
  SectionSnapshot,
  SegmentKind,
} from '../../../server/src/protocol/index.ts';
import type { ToggleEvent } from '../shared/disclosure.ts';
import './comparison.ts';
import { isActive, iterationOpensByItself, openSection, opensByItself } from './viewState.ts';
import {
  countWords,
  decisionWords,
  iterationFacts,
  iterationName,
  remarks,
  remedyTitles,
  rubricWords,
  scoreWords,
  sectionFacts,
  sectionNames,
  signalWords,
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
  readonly answerNow: () => void;
  readonly resume: () => void;
  readonly remove: () => void;
  readonly onIteration: (iteration: number, action: IterationAction) => void;
  readonly rate: (iteration: number, rating: Rating) => void;
  readonly openSource: (passage: string) => void;
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
    ${unknownCitationsTemplate(run)} ${remarksTemplate(run)} ${iterationsTemplate(run, around)}
    ${finalTemplate(run, around)} ${comparisonTemplate(run, around)}
  `;
}

function unknownCitationsTemplate({ unknownCitations }: RunSnapshot): Template {
  const told = unknownCitationWords(unknownCitations);
  if (told === null) return nothing;
  return html`<ul class="warnings" aria-label="Citations">
    <li><vscode-icon name="warning"></vscode-icon><span>${told}</span></li>
  </ul>`;
}

function remarksTemplate(run: RunSnapshot): Template {
  const told = remarks(run);
  if (told.length === 0) return nothing;
  return html`<ul class="warnings" aria-label="Remarks">
    ${told.map((remark) => html`<li><vscode-icon name="info"></vscode-icon><span>${remark}</span></li>`)}
  </ul>`;
}

/** Any two finished iterations, word by word. */
function comparisonTemplate(run: RunSnapshot, around: RunSurroundings): Template {
  const done = run.iterations.filter(({ facts }) => facts !== null);
  if (done.length < 2) return nothing;
  const open = around.toggled.get('comparison') ?? false;
  return html`<preflexor-disclosure
    class="section comparison"
    level="2"
    heading="Compare iterations"
    ?open=${open}
    @preflexor-toggle=${(event: ToggleEvent) => {
      around.toggle('comparison', event.open);
    }}
  >
    ${open ? html`<preflexor-comparison .iterations=${done}></preflexor-comparison>` : nothing}
  </preflexor-disclosure>`;
}

/** The buttons of a run, which stay in sight while its text scrolls. */
export function actionsTemplate(run: RunSnapshot, around: RunSurroundings): Template {
  if (isActive(run)) {
    return html`<footer>
      <div class="toolbar" role="group" aria-label="Run">
        ${
          run.state === 'running'
            ? html`<vscode-button @click=${around.answerNow}>Answer Now</vscode-button>`
            : nothing
        }
        <vscode-button secondary icon="debug-stop" @click=${around.stop}>Stop</vscode-button>
      </div>
    </footer>`;
  }
  if (run.state !== 'finished') {
    if (!run.resumable) return nothing;
    return html`<footer>
      <div class="toolbar" role="group" aria-label="Run">
        <vscode-button @click=${around.resume}>Go On</vscode-button>
        <vscode-button secondary @click=${around.remove}>Delete</vscode-button>
      </div>
    </footer>`;
  }
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
                  around.act('review');
                }}
                >Review</vscode-button
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
        ${press('trash', 'Delete Run', around.remove)}
      </span>
    </div>
  </footer>`;
}

function tool(icon: string, label: string, action: RunAction, around: RunSurroundings): TemplateResult {
  return press(icon, label, () => {
    around.act(action);
  });
}

function press(icon: string, label: string, pressed: () => void): TemplateResult {
  return html`<vscode-toolbar-button
    icon=${icon}
    label=${label}
    title=${label}
    @click=${pressed}
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
        class="whole ${run.best === iteration.index ? 'best' : ''}"
        level="2"
        heading=${iterationName(iteration.index)}
        facts=${iterationFacts(iteration, run)}
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
          ${sourcesTemplate(run, iteration.index, section, around)}
          ${ratingTemplate(run, iteration.index, section, around)}
        </preflexor-disclosure>`;
      },
    )}
    ${factsTemplate(iteration, level, around)}
    ${
      doubts.length === 0
        ? nothing
        : html`<ul class="warnings" aria-label="Doubts">
            ${doubts.map((doubt) => html`<li><vscode-icon name="info"></vscode-icon><span>${doubt}</span></li>`)}
          </ul>`
    }
    ${choicesTemplate(run, iteration, around)}
  </div>`;
}

/** The passages that this section agrees with; a press opens one. */
function sourcesTemplate(
  run: RunSnapshot,
  iteration: number,
  section: SectionSnapshot,
  around: RunSurroundings,
): Template {
  if (!section.done) return nothing;
  const behind = run.sources.find((one) => one.iteration === iteration && one.kind === section.kind);
  if (!behind) return nothing;
  if (behind.passages.length === 0) return html`<p class="measured">No passage of your notes behind it</p>`;
  return html`<ul class="sources" aria-label="Sources of the ${sectionNames[section.kind].toLowerCase()}">
    ${behind.passages.map(
      ({ id, name, sentence }) =>
        html`<li>
          <button
            class="source"
            type="button"
            title=${sentence}
            @click=${() => {
              around.openSource(id);
            }}
          >
            <vscode-icon name="references"></vscode-icon><span>${name}</span>
          </button>
        </li>`,
    )}
  </ul>`;
}

const ratable: ReadonlySet<string> = new Set<SegmentKind>(['thinking', 'reflection', 'answer']);

/** Thumbs for a section of a run that is stored. */
function ratingTemplate(
  run: RunSnapshot,
  iteration: number,
  { kind }: SectionSnapshot,
  around: RunSurroundings,
): Template {
  if (run.state !== 'finished' || !ratable.has(kind)) return nothing;
  const segment = kind as SegmentKind;
  const given = run.ratings.find((one) => one.iteration === iteration && one.segment === segment)?.value;
  const thumb = (value: Rating['value'], icon: string, words: string): TemplateResult => {
    const label = `${words} ${sectionNames[kind].toLowerCase()}`;
    return html`<button
      class="thumb"
      type="button"
      title=${label}
      aria-label=${label}
      aria-pressed=${given === value ? 'true' : 'false'}
      @click=${() => {
        around.rate(iteration, { segment, value });
      }}
    >
      <vscode-icon name=${given === value ? `${icon}-filled` : icon}></vscode-icon>
    </button>`;
  };
  return html`<div class="thumbs" role="group" aria-label="Rate the ${sectionNames[kind].toLowerCase()}">
    ${thumb('up', 'thumbsup', 'Good')} ${thumb('down', 'thumbsdown', 'Bad')}
  </div>`;
}

/** What was measured of an iteration, and what it cost. */
function factsTemplate(iteration: IterationSnapshot, level: number, around: RunSurroundings): Template {
  const { facts, index, sections } = iteration;
  if (!facts) return nothing;
  const name = `${index}/facts`;
  const open = around.toggled.get(name) ?? false;
  const lines = [
    scoreWords(facts),
    rubricWords(facts),
    ...facts.signals.map(signalWords),
    ...sections.flatMap(({ kind, counts }) =>
      counts ? [`${sectionNames[kind]}: ${countWords(counts)}`] : [],
    ),
    `All tokens: ${countWords(facts.tokens)}`,
  ].filter((line) => line !== null);
  return html`<preflexor-disclosure
    class="section facts"
    level=${level}
    heading="Measured"
    ?open=${open}
    @preflexor-toggle=${(event: ToggleEvent) => {
      event.stopPropagation();
      around.toggle(name, event.open);
    }}
  >
    ${
      open
        ? html`${feedbackTemplate(facts)}
            <ul class="measured">
              ${lines.map((line) => html`<li>${line}</li>`)}
            </ul>`
        : nothing
    }
  </preflexor-disclosure>`;
}

/** A critique stands above its thinking already; a reflection is the iteration's before. */
function feedbackTemplate({ feedback }: NonNullable<IterationSnapshot['facts']>): Template {
  if (feedback?.from !== 'reflection') return nothing;
  return html`<p class="measured">It set out to mend what the reflection before it found:</p>
    <blockquote class="feedback">${feedback.text.trim()}</blockquote>`;
}

/** What can be done with one iteration of a run that is stored. */
function choicesTemplate(run: RunSnapshot, iteration: IterationSnapshot, around: RunSurroundings): Template {
  if (run.state !== 'finished' || !iteration.facts) return nothing;
  const { index } = iteration;
  const shown = run.picked ?? run.best;
  const name = iterationName(index);
  const choice = (label: string, action: IterationAction): TemplateResult =>
    html`<vscode-button
      secondary
      aria-label="${label}: ${name}"
      @click=${() => {
        around.onIteration(index, action);
      }}
      >${label}</vscode-button
    >`;
  return html`<div class="choices" role="group" aria-label=${name}>
    ${run.iterations.length > 1 && index !== shown ? choice('Use This One', 'pick') : nothing}
    ${choice('Regenerate From Here', 'regenerate')} ${choice('Branch', 'branch')}
  </div>`;
}

/** With one iteration there is nothing to integrate: the text differs by its marks. */
function finalHeading({ iterations, unknownCitations, picked }: RunSnapshot): string {
  if (picked !== null) return 'Integrated suggestion, not used';
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
    ?open=${around.toggled.get('final') ?? run.picked === null}
    @preflexor-toggle=${(event: ToggleEvent) => {
      around.toggle('final', event.open);
    }}
  >
    <preflexor-stream .text=${run.final}></preflexor-stream>
  </preflexor-disclosure>`;
}
