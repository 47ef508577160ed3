// What is to be known of a run besides its curves: what it came to, the watch list, sample answers, data and log.
// Templates only; all texts of notes and models are texts.
import { html, nothing, type TemplateResult } from 'lit';
import {
  pairSignalNames,
  type GateVerdict,
  type TrainingData,
  type TrainingPairsPage,
  type TrainingRunDetail,
  type WatchEntry,
} from '../../../server/src/protocol/index.ts';
import '../shared/disclosure.ts';
import type { ToggleEvent } from '../shared/disclosure.ts';
import { checkNames, countWords, figure, partName, verdictNames, watchNames } from './words.ts';

export interface SectionActions {
  readonly pairs: ReadonlyMap<string, TrainingPairsPage>;
  readonly isOpen: (section: string, byItself: boolean) => boolean;
  readonly toggle: (section: string, open: boolean) => void;
  readonly askForPairs: (part: string, offset: number) => void;
  readonly openPair: (part: string, line: number) => void;
}

export function sectionsTemplate(detail: TrainingRunDetail, act: SectionActions): TemplateResult {
  const { watch, samples, data, log } = detail;
  const bad = watch.filter(({ verdict }) => verdict !== 'fine').length;
  return html`
    ${section('verdict', 'Verdict', '', true, act, verdictTemplate(detail))}
    ${
      watch.length === 0
        ? nothing
        : section(
            'watch',
            'Watch list',
            bad === 0 ? 'all fine' : `${bad} to look at`,
            true,
            act,
            watchTemplate(watch),
          )
    }
    ${
      samples.length === 0
        ? nothing
        : section('samples', 'Answers before and after phase I', '', false, act, samplesTemplate(samples))
    }
    ${section('data', 'What went in', '', false, act, html`${data.map((one) => dataTemplate(one, data, act))}`)}
    ${section('log', 'Log', log.length === 1 ? '1 line' : `${log.length} lines`, false, act, logTemplate(log))}
  `;
}

function section(
  name: string,
  heading: string,
  facts: string,
  byItself: boolean,
  act: SectionActions,
  content: TemplateResult,
): TemplateResult {
  const open = act.isOpen(name, byItself);
  return html`<preflexor-disclosure
    level="2"
    heading=${heading}
    facts=${facts}
    .open=${open}
    @preflexor-toggle=${(event: ToggleEvent) => {
      act.toggle(name, event.open);
    }}
  >
    <div class="section">${open ? content : nothing}</div>
  </preflexor-disclosure>`;
}

function verdictTemplate({ why, gates, entry }: TrainingRunDetail): TemplateResult {
  if (why === null && gates.length === 0) {
    return html`<p>
      ${
        entry.kind === 'train'
          ? 'A training by itself is not judged: “preflexor adapters judge” asks the gate.'
          : 'The gate has not judged yet.'
      }
    </p>`;
  }
  const offer =
    entry.offered === null
      ? nothing
      : html`<strong>${entry.offered ? 'Offered. ' : 'Not offered. '}</strong>`;
  return html`${why === null ? nothing : html`<p>${offer}${why}</p>`} ${gates.map(gateTemplate)}`;
}

function gateTemplate({ phase, why, pairs, checks }: GateVerdict): TemplateResult {
  return html`<h3>Phase ${phase === 1 ? 'I' : 'II'}, judged by ${pairs} held-out pairs</h3>
    <p>${why}</p>
    <ul class="checks">
      ${checks.map(
        ({ name, passed, says }) =>
          html`<li>
            <vscode-icon
              name=${passed ? 'pass' : 'error'}
              label=${passed ? 'passed' : 'not passed'}
            ></vscode-icon>
            <span><strong>${checkNames[name]}.</strong> ${says}</span>
          </li>`,
      )}
    </ul>`;
}

function watchTemplate(watch: readonly WatchEntry[]): TemplateResult {
  const rows = [...Map.groupBy(watch, ({ name, phase }) => `${name} ${phase}`).values()];
  return html`<table>
    <thead>
      <tr>
        <th scope="col">What</th>
        <th scope="col">Phase</th>
        <th scope="col" class="number">Value</th>
        <th scope="col" class="number">Limit</th>
        <th scope="col">Verdict</th>
        <th scope="col">In words</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map((entries) => {
        const last = entries.at(-1);
        if (!last) return nothing;
        const { name, phase, value, threshold, verdict, says } = last;
        const before = entries.slice(0, -1).map((one) => figure(one.value));
        return html`<tr class=${verdict}>
          <th scope="row">${watchNames[name]}</th>
          <td>${phase === 1 ? 'I' : 'II'}</td>
          <td class="number">${[...before, figure(value)].join(' → ')}</td>
          <td class="number">${figure(threshold)}</td>
          <td>${verdictNames[verdict]}</td>
          <td>${says}</td>
        </tr>`;
      })}
    </tbody>
  </table>`;
}

function samplesTemplate(samples: TrainingRunDetail['samples']): TemplateResult {
  return html`${samples.map(
    ({ question, note, before, after }) =>
      html`<article>
        <h3>${question}</h3>
        <p class="facts">Asked from ${note}</p>
        <div class="sides">
          <section aria-label="Before">
            <h4>Before</h4>
            <div class="text">${before}</div>
          </section>
          <section aria-label="After">
            <h4>After</h4>
            <div class="text">${after}</div>
          </section>
        </div>
      </article>`,
  )}`;
}

function dataTemplate(
  { part, refresh, pairs, heldout, listed }: TrainingData,
  all: readonly TrainingData[],
  act: SectionActions,
): TemplateResult {
  const phase = part === 'phase-1' ? 1 : part === 'phase-2' ? 2 : null;
  const name = [partName({ part, phase }), refresh === null ? null : `refresh ${refresh}`]
    .filter((word) => word !== null)
    .join(', ');
  // The pairs of all refreshes are one list, below the last of them.
  const isLast = all.findLast((one) => one.part === part)?.refresh === refresh;
  return html`<h3>${name}</h3>
    <p>Trained on ${countWords(pairs)}.</p>
    ${heldout === null ? nothing : html`<p>Held out ${countWords(heldout)}.</p>`}
    ${
      pairs.refused.length === 0
        ? nothing
        : html`<ul>
            ${pairs.refused.map(({ line, reason }) => html`<li>Line ${line}: ${reason}</li>`)}
          </ul>`
    }
    ${
      !listed
        ? html`<p class="facts">
            The file is not in the folder of the run or in one above it, or was changed: of it only its name
            and its hash are kept.
          </p>`
        : isLast
          ? pairsTemplate(part, act)
          : nothing
    }`;
}

function pairsTemplate(part: string, act: SectionActions): TemplateResult {
  const page = act.pairs.get(part);
  const more = (offset: number, words: string): TemplateResult =>
    html`<button
      type="button"
      class="more"
      @click=${() => {
        act.askForPairs(part, offset);
      }}
    >
      ${words}
    </button>`;
  if (!page) return more(0, 'Show the pairs');
  const { rows, matching } = page;
  return html`<ol class="pairs">
      ${rows.map(
        ({ line, signal, note, question, chosen }) =>
          html`<li>
            <button
              type="button"
              class="pair"
              @click=${() => {
                act.openPair(part, line);
              }}
            >
              <span class="question">${question}</span>
              <span class="facts"
                >${[signal === null ? null : pairSignalNames[signal], note]
                  .filter((word) => word !== null)
                  .join(' · ')}</span
              >
              <span>${chosen}</span>
            </button>
          </li>`,
      )}
    </ol>
    ${rows.length < matching ? more(rows.length, `Show more of ${matching.toLocaleString('en')}`) : nothing}`;
}

function logTemplate(log: TrainingRunDetail['log']): TemplateResult {
  if (log.length === 0) return html`<p>Nothing was said yet.</p>`;
  return html`<ol class="log" tabindex="0" aria-label="Log">
    ${log.map(({ part, refresh, step, says, event }) => {
      const phase = part === 'phase-1' ? 1 : part === 'phase-2' ? 2 : null;
      const where = [
        phase === null ? null : partName({ part, phase }),
        refresh === null ? null : `refresh ${refresh}`,
        step === null ? null : `step ${step}`,
      ].filter((word) => word !== null);
      return html`<li class=${event}><span class="facts">${where.join(', ')}</span> ${says}</li>`;
    })}
  </ol>`;
}
