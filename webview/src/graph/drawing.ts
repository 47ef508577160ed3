// Draws a laid out graph on a canvas: links and nodes of a kind in one stroke each, as thousands are drawn anew for each
// picture.
import type { GraphNode } from '../../../server/src/protocol/index.ts';
import type { ThemeColours } from '../shared/themeColours.ts';
import type { Layout, PlacedNode } from './layout.ts';
import { kinds } from './words.ts';

/** What part of the plane is seen: a point of the graph at (x, y) lies at (x · scale + left, y · scale + top). */
export interface Camera {
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

export interface Marked {
  /** In the middle of attention. */
  readonly selected: string | null;
  /** Pointed at, or reached by the arrow keys. */
  readonly pointed: string | null;
  readonly found: ReadonlySet<string>;
  readonly neighbours: ReadonlySet<string>;
}

const mostLabels = 40;
const longestLabel = 40;

export function radiusOf({ node }: PlacedNode): number {
  return Math.min(14, 3 + Math.sqrt(node.links));
}

/** Kinds that come after the last colour are faint. */
export function colourOf(kind: GraphNode['kind'], { charts, faint }: ThemeColours): string {
  return charts[kinds.indexOf(kind)] ?? faint;
}

export function drawGraph(
  context: CanvasRenderingContext2D,
  { nodes, edges }: Layout,
  camera: Camera,
  marked: Marked,
  colours: ThemeColours,
  size: { readonly width: number; readonly height: number; readonly sharpness: number },
): void {
  const { scale, left, top } = camera;
  const { sharpness, width, height } = size;
  context.setTransform(sharpness, 0, 0, sharpness, 0, 0);
  context.clearRect(0, 0, width, height);
  context.setTransform(sharpness * scale, 0, 0, sharpness * scale, left * sharpness, top * sharpness);

  const isOfSelected = ({ edge: { from, to } }: (typeof edges)[number]): boolean =>
    marked.selected !== null && (from === marked.selected || to === marked.selected);
  const stroke = (
    which: (edge: (typeof edges)[number]) => boolean,
    colour: string,
    thickness: number,
  ): void => {
    context.strokeStyle = colour;
    context.lineWidth = thickness / scale;
    context.beginPath();
    for (const edge of edges) {
      if (!which(edge)) continue;
      context.moveTo(edge.source.x, edge.source.y);
      context.lineTo(edge.target.x, edge.target.y);
    }
    context.stroke();
  };
  context.globalAlpha = 0.35;
  stroke((edge) => !isOfSelected(edge), colours.faint, 0.6);
  context.globalAlpha = 1;
  stroke(isOfSelected, colours.focus, 1.4);

  for (const kind of kinds) {
    context.fillStyle = colourOf(kind, colours);
    context.beginPath();
    for (const placed of nodes) {
      if (placed.node.kind !== kind) continue;
      const radius = radiusOf(placed);
      context.moveTo(placed.x + radius, placed.y);
      context.arc(placed.x, placed.y, radius, 0, 2 * Math.PI);
    }
    context.fill();
  }
  ring(context, nodes, (id) => marked.found.has(id), colours.foreground, 1.5 / scale);
  ring(context, nodes, (id) => id === marked.pointed || id === marked.selected, colours.focus, 3 / scale);
  drawLabels(context, nodes, camera, marked, colours, size);
}

function ring(
  context: CanvasRenderingContext2D,
  nodes: readonly PlacedNode[],
  which: (id: string) => boolean,
  colour: string,
  thickness: number,
): void {
  context.strokeStyle = colour;
  context.lineWidth = thickness;
  context.beginPath();
  for (const placed of nodes) {
    if (!which(placed.node.id)) continue;
    const radius = radiusOf(placed) + thickness;
    context.moveTo(placed.x + radius, placed.y);
    context.arc(placed.x, placed.y, radius, 0, 2 * Math.PI);
  }
  context.stroke();
}

/** Of what is looked at, then of what is linked most among what is seen. */
function drawLabels(
  context: CanvasRenderingContext2D,
  nodes: readonly PlacedNode[],
  { scale, left, top }: Camera,
  { selected, pointed, neighbours, found }: Marked,
  { foreground, background, font }: ThemeColours,
  {
    width,
    height,
    sharpness,
  }: { readonly width: number; readonly height: number; readonly sharpness: number },
): void {
  const weight = ({ node: { id, links } }: PlacedNode): number =>
    (id === selected || id === pointed ? 1e9 : 0) +
    (found.has(id) ? 1e6 : 0) +
    (neighbours.has(id) ? 1e6 : 0) +
    links;
  const seen = nodes.filter(({ x, y }) => {
    const [at, down] = [x * scale + left, y * scale + top];
    return at > 0 && at < width && down > 0 && down < height;
  });
  const labelled = seen.sort((one, other) => weight(other) - weight(one)).slice(0, mostLabels);
  context.setTransform(sharpness, 0, 0, sharpness, 0, 0);
  context.font = `11px ${font}`;
  context.textAlign = 'center';
  context.lineWidth = 3;
  context.lineJoin = 'round';
  context.strokeStyle = background;
  context.fillStyle = foreground;
  for (const placed of labelled.reverse()) {
    const { label } = placed.node;
    const words = label.length > longestLabel ? `${label.slice(0, longestLabel - 1)}…` : label;
    const at = placed.x * scale + left;
    const down = placed.y * scale + top - radiusOf(placed) * scale - 4;
    context.strokeText(words, at, down);
    context.fillText(words, at, down);
  }
}

/** The node at a place of the canvas, the nearest one; null: there is none. */
export function nodeAt(
  { nodes }: Layout,
  { scale, left, top }: Camera,
  x: number,
  y: number,
): PlacedNode | null {
  const [atX, atY] = [(x - left) / scale, (y - top) / scale];
  const slack = 4 / scale;
  let best: PlacedNode | null = null;
  let nearest = Infinity;
  for (const placed of nodes) {
    const distance = Math.hypot(placed.x - atX, placed.y - atY) - radiusOf(placed);
    if (distance < slack && distance < nearest) [best, nearest] = [placed, distance];
  }
  return best;
}

/** So that all of it is seen. */
export function fitted({ nodes }: Layout, width: number, height: number): Camera {
  let [low, high, upper, lower] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of nodes) {
    [low, high] = [Math.min(low, x), Math.max(high, x)];
    [upper, lower] = [Math.min(upper, y), Math.max(lower, y)];
  }
  if (low > high) return { scale: 1, left: width / 2, top: height / 2 };
  const margin = 60;
  const scale = Math.min(
    2,
    (width - margin) / (high - low + margin),
    (height - margin) / (lower - upper + margin),
  );
  return {
    scale,
    left: width / 2 - ((low + high) / 2) * scale,
    top: height / 2 - ((upper + lower) / 2) * scale,
  };
}
