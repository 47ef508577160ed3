// The curation board's page: connects the editor and puts the board in.
import '../shared/jitless.ts';
import { BoardToView, type BoardFromView } from '../../../server/src/protocol/index.ts';
import { connectHost } from '../shared/host.ts';
import '../shared/theme.css';
import { BoardView } from './boardView.ts';

const longestMessage = 4000;

const host = connectHost<BoardToView, BoardFromView>(BoardToView, (editor, problem) => {
  editor.send({ type: 'didFail', message: problem.slice(0, longestMessage) });
});

document.body.append(new BoardView(host));
