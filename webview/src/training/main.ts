// The Training view's page: connects the editor and puts the view in.
import '../shared/jitless.ts';
import { TrainingToView, type TrainingFromView } from '../../../server/src/protocol/index.ts';
import { connectHost } from '../shared/host.ts';
import '../shared/theme.css';
import { TrainingView } from './trainingView.ts';

const longestMessage = 4000;

const host = connectHost<TrainingToView, TrainingFromView>(TrainingToView, (editor, problem) => {
  editor.send({ type: 'didFail', message: problem.slice(0, longestMessage) });
});

document.body.append(new TrainingView(host));
