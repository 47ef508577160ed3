// What is known of the selected node: its links, and where they can be read. Templates only.
import { html, nothing, type TemplateResult } from 'lit';
import type { EvidencePlace, GraphSelection, ShownNode } from '../../../server/src/protocol/index.ts';
import { kindNames, linkNames, nodeWords } from './words.ts';

export interface DetailActions {
  readonly select: (node: string) => void;
  readonly around: (node: string) => void;
  readonly openPlace: (place: number) => void;
}

const mostLinks = 200;

export function detailsTemplate(
  node: ShownNode,
  graph: GraphSelection,
  places: readonly EvidencePlace[] | null,
  act: DetailActions,
): TemplateResult {
  return html`<h2>${node.label}</h2>
    <p class="facts">${nodeWords({ ...node, label: '' }).replace(': ,', ',')}</p>
    <vscode-button
      secondary
      @click=${() => {
        act.around(node.id);
      }}
      >Show Its Surroundings</vscode-button
    >
    ${placesTemplate(node, places, act)} ${linksTemplate(node, graph, act)}`;
}

function linksTemplate(
  node: ShownNode,
  { edges, nodes }: GraphSelection,
  act: DetailActions,
): TemplateResult {
  const labels = new Map(nodes.map(({ id, label, kind }) => [id, { label, kind }]));
  const links = edges.flatMap(({ from, to, kind }) => {
    const [forth, back] = linkNames[kind];
    if (from === node.id) return [{ how: forth, end: to }];
    return to === node.id ? [{ how: back, end: from }] : [];
  });
  const groups = Map.groupBy(links.slice(0, mostLinks), ({ how }) => how);
  return html`${[...groups].map(
    ([how, own]) =>
      html`<h3>${how}</h3>
        <ul>
          ${own.map(({ end }) => {
            const other = labels.get(end);
            return html`<li>
              <button
                type="button"
                class="link"
                @click=${() => {
                  act.select(end);
                }}
              >
                ${other?.label ?? end}
                <span class="facts">${other ? kindNames[other.kind] : ''}</span>
              </button>
            </li>`;
          })}
        </ul>`,
  )}`;
}

function placesTemplate(
  node: ShownNode,
  places: readonly EvidencePlace[] | null,
  act: DetailActions,
): TemplateResult {
  if (places === null)
    return html`<h3>Evidence</h3>
      <p class="facts">Looking…</p>`;
  if (places.length === 0)
    return html`<h3>Evidence</h3>
      <p class="facts">No place says so.</p>`;
  return html`<h3>Evidence</h3>
    <ul class="evidence">
      ${places.map(({ from, kind, other, source, uri, text }, index) => {
        const [forth, back] = linkNames[kind];
        return html`<li>
          <button
            type="button"
            class="link"
            ?disabled=${uri === null}
            @click=${() => {
              act.openPlace(index);
            }}
          >
            <span>${from === node.id ? forth : back} ${other}</span>
            ${text === '' ? nothing : html`<q>${text}</q>`}
            <span class="facts">${source.startsWith('run:') ? 'in an answer of the model' : source}</span>
          </button>
        </li>`;
      })}
    </ul>`;
}
