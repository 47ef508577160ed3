// Works of bibliographies in words, and which of them is meant by what is typed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BibliographyEntry } from './retrieval.ts';
import { describeWork, familyName, oneLine, rankOf, shortCredit, shortened } from './works.ts';

function work(change: Partial<BibliographyEntry> = {}): BibliographyEntry {
  return {
    key: 'tome2009grains',
    type: 'article',
    title: 'Hard Grains\n in Steel',
    authors: ['Tomé, C. N.'],
    year: '2009',
    venue: 'Acta',
    doi: null,
    url: 'https://e.org',
    abstract: null,
    keywords: [],
    file: null,
    start: 0,
    end: 1,
    ...change,
  };
}

test('given one, two and more authors, when a work is credited, then as it is usual in a text', () => {
  assert.equal(shortCredit(work()), 'Tomé · 2009');
  assert.equal(shortCredit(work({ authors: ['Tomé, C. N.', 'Ada Lovelace'] })), 'Tomé and Lovelace · 2009');
  assert.equal(shortCredit(work({ authors: ['A B', 'C D', 'E F'] })), 'B et al. · 2009');
  assert.equal(shortCredit(work({ authors: [], year: null })), '');
});

test('given a work, when it is told in one line or described, then what is not known is left out', () => {
  assert.equal(oneLine(work()), 'Tomé · 2009 · Hard Grains in Steel');
  assert.equal(oneLine(work({ authors: [], year: null })), 'Hard Grains in Steel');
  assert.equal(
    describeWork(work({ venue: null }), 'a.bib'),
    'Hard Grains in Steel\nTomé, C. N. (2009)\nhttps://e.org\ntome2009grains in a.bib',
  );
  assert.match(
    describeWork(work({ title: null, doi: '10.1/x' }), 'a.bib'),
    /^tome2009grains\n[^]*doi:10\.1\/x/,
  );
});

test('given names in both orders, when the family name is asked for, then it is the same', () => {
  assert.deepEqual(['Lovelace, Ada', 'Ada Lovelace', 'Plato'].map(familyName), [
    'Lovelace',
    'Lovelace',
    'Plato',
  ]);
});

test('given what is typed, when works are ranked, then keys come before authors, authors before titles, and others not at all', () => {
  const ranks = ['', 'tome2', 'TOME', 'Tomé', 'steel', '2009', 'copper'].map((typed) =>
    rankOf(work(), typed),
  );
  assert.deepEqual(ranks, [0, 0, 0, 0, 2, 3, null]);
  assert.equal(rankOf(work({ key: 'x1' }), 'tome'), 1);
  assert.equal(rankOf(work(), 'rains'), 3);
  assert.equal(rankOf(work({ key: 'x1' }), 'rains'), null);
});

test('given a long text, when it is shortened, then between words and with a sign', () => {
  assert.equal(shortened('one two three', 9), 'one two…');
  assert.equal(shortened('one two', 9), 'one two');
});
