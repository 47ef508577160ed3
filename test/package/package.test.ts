// The extension's package as a writer gets it: made by `npm run package`, installed into an editor, and used away
// from the checkout, with its own libraries, trainer and command line. PREFLEXOR_PACKAGE names one that is made already.
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, realpath, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { hostTarget, targetNamed } from '../../scripts/packaging/index.ts';
import { installExtension } from '../../scripts/setup/codeServer.ts';
import { npm } from '../../scripts/setup/npm.ts';
import { repository } from '../../scripts/setup/paths.ts';
import { run, type RunResult } from '../../scripts/setup/processes.ts';
import { Workbench } from '../support/workbench.ts';

const target = hostTarget();
const fixtures = path.join(repository, 'test/fixtures');
const patience = 180_000;

/** Made as a person makes it; gives the file. */
async function makePackage(out: string): Promise<string> {
  const { code, stderr } = await npm(['run', 'package', '--', '--out', out], { cwd: repository });
  assert.equal(code, 0, stderr);
  const [name = ''] = (await readdir(out)).filter((file) => file.endsWith('.vsix'));
  assert.match(name, new RegExp(`^preflexor-${target}-\\d+\\.\\d+\\.\\d+\\.vsix$`));
  return path.join(out, name);
}

describe('given the package for this machine, installed in an editor', { timeout: 30 * 60_000 }, () => {
  let place: string;
  let extensions: string;
  let installed: string;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    place = await mkdtemp(path.join(await realpath(tmpdir()), 'preflexor package '));
    const file = process.env['PREFLEXOR_PACKAGE'] || (await makePackage(place));
    extensions = path.join(place, 'extensions');
    installed = await installExtension(file, extensions);
    // The models are those of the tests; index and caches are this test's own.
    const home = path.join(place, 'home');
    await mkdir(home);
    await symlink(path.join(process.env['PREFLEXOR_HOME'] ?? '', 'models'), path.join(home, 'models'));
    env = { ...process.env, PREFLEXOR_HOME: home };
  });
  after(async () => {
    await rm(place, { recursive: true, force: true, maxRetries: 5 });
  });

  /** The command line out of the package. */
  function preflexor(...args: readonly string[]): Promise<RunResult> {
    return run(process.execPath, [path.join(installed, 'dist/cli.js'), ...args], { cwd: place, env });
  }

  it('when its files are listed then they are those that run, for this platform alone', async () => {
    const names = (await readdir(installed, { recursive: true })).map((name) => name.replaceAll('\\', '/'));
    const [stray] = names.filter((name) =>
      /\.(map|d\.ts|test\.ts)$|(^|\/)(test|\.cache|\.git)(\/|$)/.test(name),
    );
    assert.equal(stray, undefined);
    const modules = path.join(installed, 'dist/node_modules');
    const engines = await readdir(path.join(modules, '@node-llama-cpp'));
    assert.deepEqual(engines.sort(), targetNamed(target).engines);
    assert.equal((await readdir(path.join(modules, '@lancedb'))).length, 2);
    assert.ok(names.includes('docs/privacy.md') && names.includes('LICENSE.txt'));
    const trainer = await stat(path.join(installed, 'dist/trainer', target, 'preflexor-trainer'));
    assert.ok((trainer.mode & 0o100) !== 0, 'the trainer can be started');
  });

  it('when its command line is asked what works then the model library and the trainer do', async () => {
    const { code, stdout, stderr } = await preflexor('doctor', '--json');
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as { trainer: unknown; problems: unknown };
    assert.deepEqual(report.trainer, { found: true, selfTest: true });
    assert.deepEqual(report.problems, []);
  });

  it('when its command line indexes a PDF then its passages are found', async () => {
    const notes = path.join(place, 'notes');
    await mkdir(notes);
    await cp(path.join(fixtures, 'documents/printed.pdf'), path.join(notes, 'printed.pdf'));
    const indexed = await preflexor('index', notes, '--offline', '--json');
    assert.equal(indexed.code, 0, indexed.stderr);
    const words = ['search', 'cardiac electro-mechanics', '--workspace', notes, '--offline', '--json'];
    const { code, stdout, stderr } = await preflexor(...words);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /printed\.pdf/);
  });

  it('when a paragraph is reasoned about in the editor then the annotation stands below it', async () => {
    const workbench = await Workbench.start({
      folder: path.join(fixtures, 'corpus/kanapy'),
      name: 'package',
      extensions,
      linkExtension: false,
      env,
      settings: {
        'preflexor.reasoning.iterations': 0,
        'preflexor.reasoning.thinkingTokens': 24,
        'preflexor.reasoning.reflectionTokens': 16,
        'preflexor.reasoning.answerTokens': 24,
        'preflexor.retrieval.enabled': false,
      },
    });
    try {
      await workbench.openFile('paper.md');
      await workbench.placeCursor(32, 20);
      await workbench.runCommand('PRefLexOR: Reason About This Paragraph');
      await workbench.waitForLens('Accept', patience);
      await workbench.screenshot('annotation');
      assert.match(await workbench.savedText('paper.md'), /<!-- preflexor \S+ begin -->[\s\S]*\[!thinking\]/);
    } finally {
      await workbench.close();
    }
  });
});
