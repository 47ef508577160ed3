import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOMParser } from '@xmldom/xmldom';
import { tickText, ticksBetween } from './scale.ts';
import { escaped, ink, palette, svgOf, type Chart } from './svg.ts';

const chart: Chart = {
  ...{ kind: 'bars', title: 'Score', xLabel: 'Iteration', yLabel: 'Mean', range: [0, 1] },
  series: [
    {
      name: 'score',
      points: [
        { x: '0', y: 0.5, low: 0.25, high: 0.75 },
        { x: '1', y: 1, low: null, high: null },
      ],
    },
  ],
};

/** Throws for what is no well-formed XML. */
function parsed(svg: string): ReturnType<DOMParser['parseFromString']> {
  return new DOMParser({
    onError: (_level, message) => {
      throw new Error(message);
    },
  }).parseFromString(svg, 'image/svg+xml');
}

function attributes(svg: string, element: string, name: string): number[] {
  return [...parsed(svg).getElementsByTagName(element)].map((node) => Number(node.getAttribute(name)));
}

/** Contrast ratio of two colours (WCAG 2.2, relative luminance). */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const value = parseInt(colour.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

test('given a range, when ticks are made, then they are round numbers that take it in', () => {
  assert.deepEqual(ticksBetween(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticksBetween(0, 5), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(ticksBetween(-0.1, 0.3), [-0.1, 0, 0.1, 0.2, 0.3]);
  assert.deepEqual(ticksBetween(0, 730), [0, 200, 400, 600, 800]);
  assert.deepEqual(ticksBetween(3, 3), [3]);
  assert.equal(tickText(0.1 + 0.2), '0.3');
});

test('given bars, when they are drawn, then their heights are as their values and they stand on the axis', () => {
  const svg = svgOf(chart);
  const [half = 0, whole = 0] = attributes(svg, 'rect', 'height');
  assert.ok(whole > 100);
  assert.equal(half * 2, whole);
  const [halfTop = 0, wholeTop = 0] = attributes(svg, 'rect', 'y');
  assert.equal(halfTop + half, wholeTop + whole);
});

test('given a negative value, when it is drawn as a bar, then the bar hangs below zero', () => {
  const points = [
    { x: 'a', y: 0.2, low: null, high: null },
    { x: 'b', y: -0.2, low: null, high: null },
  ];
  const svg = svgOf({ ...chart, range: [-0.2, 0.2], series: [{ name: 'difference', points }] });
  const [up = 0, down = 0] = attributes(svg, 'rect', 'y');
  const [height = 0] = attributes(svg, 'rect', 'height');
  assert.equal(up + height, down);
});

test('given intervals, when they are drawn, then only points that have one get an error bar, from its low to its high end', () => {
  const svg = svgOf(chart);
  const errors = [...parsed(svg).getElementsByTagName('path')].filter((path) =>
    (path.getAttribute('class') ?? '').includes('error'),
  );
  assert.equal(errors.length, 1);
  const [, top = 0, bottom = 0] = (
    /M[\d.]+ ([\d.]+)V([\d.]+)/.exec(errors[0]?.getAttribute('d') ?? '') ?? []
  ).map(Number);
  const [half = 0, whole = 0] = attributes(svg, 'rect', 'height');
  assert.equal(bottom - top, half);
  assert.equal(half * 2, whole);
});

test('given a line, when it is drawn, then it goes through its points in their order', () => {
  const svg = svgOf({ ...chart, kind: 'lines' });
  const [x0 = 0, x1 = 0] = attributes(svg, 'circle', 'cx');
  const [y0 = 0, y1 = 0] = attributes(svg, 'circle', 'cy');
  assert.ok(x0 < x1 && y0 > y1);
  assert.ok(svg.includes(`d="M${x0} ${y0}L${x1} ${y1}"`));
});

test('given one series, when it is drawn, then there is no legend; given two, then each is named in it', () => {
  assert.ok(!svgOf(chart).includes('>score</text>'));
  const [series] = chart.series;
  const two = svgOf({ ...chart, series: [series!, { ...series!, name: 'noise' }] });
  assert.ok(two.includes('>score</text>') && two.includes('>noise</text>'));
});

test('given hostile text anywhere, when it is drawn, then it stays text and the document well formed', () => {
  const hostile = '</text><script>alert(1)</script>" & \u0000\u001b ]]>';
  const svg = svgOf({
    ...{ kind: 'lines', title: hostile, xLabel: hostile, yLabel: hostile, range: [0, 1] },
    series: [
      { name: hostile, points: [{ x: hostile, y: 1, low: 0, high: 2 }] },
      { name: 'b', points: [] },
    ],
  });
  assert.equal(parsed(svg).getElementsByTagName('script').length, 0);
  assert.equal(escaped('a<b>&"\u0000'), 'a&lt;b&gt;&amp;&quot;');
});

test('given axes, when they are drawn, then labels, ticks and places can be read', () => {
  const texts = [...parsed(svgOf(chart)).getElementsByTagName('text')].map(({ textContent }) => textContent);
  for (const words of ['Score', 'Iteration', 'Mean', '0.2', '1']) assert.ok(texts.includes(words), words);
});

test('given white and dark grey, when colours are seen on them, then series reach 3:1 and text 4.5:1', () => {
  for (const colour of palette)
    for (const background of ['#ffffff', '#1e1e1e'])
      assert.ok(
        contrast(colour, background) >= 3,
        `${colour} on ${background}: ${contrast(colour, background)}`,
      );
  assert.ok(contrast(ink.light, '#ffffff') >= 4.5);
  assert.ok(contrast(ink.dark, '#1e1e1e') >= 4.5);
});
