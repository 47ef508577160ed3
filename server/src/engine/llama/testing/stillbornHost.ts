// Ends before it has said a word.
process.stderr.write('cannot start\n');
process.exit(3);
