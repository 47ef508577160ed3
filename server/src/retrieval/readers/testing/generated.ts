// Arbitrary notes and how often properties are tried, as the tests of notes have them. Only tests import this.
export { generatedNote } from '../../../notes/testing/generatedNotes.ts';
export { runs } from '../../../notes/testing/runs.ts';
