// The Iterations view's page: connects the editor and puts the view in.
import '../shared/jitless.ts';
import { IterationsToView, type IterationsFromView } from '../../../server/src/protocol/index.ts';
import { connectHost } from '../shared/host.ts';
import '../shared/theme.css';
import { IterationsView } from './iterationsView.ts';

const longestMessage = 4000;

const host = connectHost<IterationsToView, IterationsFromView>(IterationsToView, (editor, problem) => {
  editor.send({ type: 'didFail', message: problem.slice(0, longestMessage) });
});

document.body.append(new IterationsView(host));
