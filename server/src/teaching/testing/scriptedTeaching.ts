// A small program that behaves as `preflexor teach --json` does, or as badly as its first argument says. Run by node.
// For the tests of this room only.
const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const stage = { event: 'stage', stage: 'dataset', phase: 1, refresh: 1 };

switch (process.argv[2]) {
  case 'done':
    say({ event: 'indexed', chunks: 3 });
    say(stage);
    process.stdout.write('{"event":"sam');
    process.stdout.write('ple","kept":true,"question":"Why?"}\nnot a line\n');
    process.disconnect();
    break;
  case 'failed':
    say({ event: 'failed', code: 'locked', message: 'Somebody else teaches.', remedy: null });
    process.disconnect();
    process.exitCode = 1;
    break;
  case 'crashed':
    process.stderr.write('something\nno such library\n');
    process.exit(3);
    break;
  case 'endless': {
    const working = setInterval(() => undefined, 1000);
    process.on('disconnect', () => {
      clearInterval(working);
      process.exitCode = 130;
    });
    say(stage);
    break;
  }
  case 'deaf':
    setInterval(() => undefined, 1000);
    process.on('disconnect', () => undefined);
    say(stage);
    break;
}
