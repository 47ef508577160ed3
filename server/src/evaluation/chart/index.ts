// Charts as SVG text. Knows nothing of what is drawn.
export { svgOf, type Chart, type Point, type Series } from './svg.ts';
