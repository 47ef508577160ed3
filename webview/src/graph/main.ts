// The Graph view's page: connects the editor and puts the view in.
import '../shared/jitless.ts';
import { GraphToView, type GraphFromView } from '../../../server/src/protocol/index.ts';
import { connectHost } from '../shared/host.ts';
import '../shared/theme.css';
import { GraphView } from './graphView.ts';

const longestMessage = 4000;

const host = connectHost<GraphToView, GraphFromView>(GraphToView, (editor, problem) => {
  editor.send({ type: 'didFail', message: problem.slice(0, longestMessage) });
});

document.body.append(new GraphView(host));
