// The graph in memory, to be asked for parts of it: surroundings, words, a note, kinds, as much as a view can show.
import { throwIfCancelled } from '../errors.ts';
import type {
  Evidence,
  GraphEdge,
  GraphNode,
  GraphSelection,
  GraphWish,
  ShownNode,
} from '../protocol/index.ts';
import type { GraphReading } from './reading.ts';

/** Links for each node that are sent, and documents that are named. */
const edgesPerNode = 4;
const mostNotes = 2000;
const usualDepth = 1;

interface Entry {
  readonly node: GraphNode;
  readonly edges: GraphEdge[];
}

/** A stretch of a note. */
export interface NoteStretch {
  readonly note: string;
  readonly start: number;
  readonly end: number;
}

export class GraphIndex {
  readonly #entries = new Map<string, Entry>();
  readonly #edges: GraphEdge[] = [];

  /** @throws PreflexorError `cancelled`; whatever the reading throws */
  static async read(reading: GraphReading, signal: AbortSignal): Promise<GraphIndex> {
    const index = new GraphIndex();
    for await (const node of reading.nodes()) index.#entries.set(node.id, { node, edges: [] });
    for await (const edge of reading.edges()) {
      index.#edges.push(edge);
      index.#entries.get(edge.from)?.edges.push(edge);
      if (edge.to !== edge.from) index.#entries.get(edge.to)?.edges.push(edge);
    }
    throwIfCancelled(signal);
    return index;
  }

  /** What a stretch of a note says: its passages, concepts and works. */
  saidIn({ note, start, end }: NoteStretch): string[] {
    const touches = (place: Evidence): boolean =>
      place.source === note && place.start < end && place.end > start;
    const said = new Set<string>();
    for (const { to, evidence } of this.#edges) {
      const kind = this.#entries.get(to)?.node.kind;
      if (kind !== 'heading' && kind !== 'document' && evidence.some(touches)) said.add(to);
    }
    return [...said];
  }

  /** @param near nodes whose surroundings are wanted, beside those of the wish; null: no more */
  select(wish: GraphWish, near: readonly string[] | null): Omit<GraphSelection, 'folder'> {
    const allowed = this.#allowed(wish);
    const words = (wish.text ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const asked = near !== null || wish.near !== undefined ? [...(wish.near ?? []), ...(near ?? [])] : null;
    const hits = words.length === 0 ? null : this.#withWords(words, allowed);
    const found = [...new Set(asked ?? hits ?? [])].filter((id) => this.#entries.has(id));
    const isWhole = asked === null && hits === null;
    const order = isWhole
      ? this.#byLinks(allowed)
      : this.#around(found, asked === null ? usualDepth : (wish.depth ?? usualDepth), allowed);
    const chosen = order.slice(0, wish.limit);
    return {
      nodes: chosen.map((id) => this.#shown(id)),
      edges: this.#edgesAmong(chosen),
      found: found.filter((id) => chosen.includes(id)),
      matching: order.length,
      total: { nodes: this.#entries.size, edges: this.#edges.length },
      notes: this.#notes(),
    };
  }

  /** Where the links of a node can be read, with the other end of each. */
  evidenceOf(id: string, most: number): { edge: GraphEdge; other: string; place: Evidence }[] {
    const places = (this.#entries.get(id)?.edges ?? []).flatMap((edge) => {
      const end = edge.from === id ? edge.to : edge.from;
      const other = this.#entries.get(end)?.node.label ?? end;
      return edge.evidence.map((place) => ({ edge, other, place }));
    });
    return places.slice(0, most);
  }

  /** null: everything. */
  #allowed({ note, kinds }: GraphWish): ((id: string) => boolean) | null {
    if (note === undefined && kinds === undefined) return null;
    const ofNote = note === undefined ? null : this.#ofNote(note);
    const wanted = kinds && new Set(kinds);
    return (id) => {
      const kind = this.#entries.get(id)?.node.kind;
      return (ofNote?.has(id) ?? true) && (wanted === undefined || (kind !== undefined && wanted.has(kind)));
    };
  }

  #ofNote(note: string): Set<string> {
    const said = new Set([`document:${note}`]);
    for (const { from, to, evidence } of this.#edges)
      if (evidence.some(({ source }) => source === note)) said.add(from).add(to);
    return said;
  }

  #withWords(words: readonly string[], allowed: ((id: string) => boolean) | null): string[] {
    const fits = ({ id, label }: GraphNode): boolean => {
      const text = label.toLowerCase();
      return words.every((word) => text.includes(word)) && (allowed?.(id) ?? true);
    };
    return [...this.#entries.values()]
      .filter(({ node }) => fits(node))
      .map(({ node }) => node.id)
      .sort(this.#more);
  }

  #byLinks(allowed: ((id: string) => boolean) | null): string[] {
    return [...this.#entries.keys()].filter((id) => allowed?.(id) ?? true).sort(this.#more);
  }

  /** In circles around the nodes that were asked for: these themselves are there whatever else is left out. */
  #around(from: readonly string[], depth: number, allowed: ((id: string) => boolean) | null): string[] {
    const reached = new Set(from);
    let circle: readonly string[] = [...from];
    for (let step = 0; step < depth; step += 1) {
      const next = new Set<string>();
      for (const id of circle)
        for (const edge of this.#entries.get(id)?.edges ?? []) {
          const end = edge.from === id ? edge.to : edge.from;
          if (!reached.has(end) && (allowed?.(end) ?? true)) next.add(end);
        }
      circle = [...next].sort(this.#more);
      for (const id of circle) reached.add(id);
    }
    return [...reached];
  }

  /** Those that are linked most come first. */
  readonly #more = (one: string, other: string): number => {
    const difference = this.#links(other) - this.#links(one);
    return difference !== 0 ? difference : one < other ? -1 : 1;
  };

  #links(id: string): number {
    return this.#entries.get(id)?.edges.length ?? 0;
  }

  #shown(id: string): ShownNode {
    const { node, edges } = this.#entries.get(id) ?? { node: { id, kind: 'concept', label: id }, edges: [] };
    return { ...node, links: edges.length };
  }

  /** The links that can be read in most places, where there are more than can be drawn. */
  #edgesAmong(chosen: readonly string[]): GraphSelection['edges'] {
    const among = new Set(chosen);
    const edges = chosen.flatMap((id) =>
      (this.#entries.get(id)?.edges ?? []).filter((edge) => edge.from === id && among.has(edge.to)),
    );
    const most = edgesPerNode * chosen.length;
    const kept = edges.length <= most ? edges : edges.sort((a, b) => b.count - a.count).slice(0, most);
    return kept.map(({ from, to, kind, count }) => ({ from, to, kind, count }));
  }

  #notes(): string[] {
    const documents = [...this.#entries.keys()].filter((id) => id.startsWith('document:'));
    return documents
      .map((id) => id.slice('document:'.length))
      .sort()
      .slice(0, mostNotes);
  }
}
