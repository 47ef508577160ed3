// The page of a PDF's view: connects the editor and puts the view in.
import '../shared/jitless.ts';
import { PdfToView, type PdfFromView } from '../../../server/src/protocol/index.ts';
import { connectHost } from '../shared/host.ts';
import '../shared/theme.css';
import { PdfView } from './pdfView.ts';

const longestMessage = 4000;

const host = connectHost<PdfToView, PdfFromView>(PdfToView, (editor, problem) => {
  editor.send({ type: 'didFail', message: problem.slice(0, longestMessage) });
});

document.body.append(new PdfView(host));
