// This program's version: put in by the bundler, `development` when the sources run as they are.
declare const PREFLEXOR_VERSION: string | undefined;

export const programVersion = typeof PREFLEXOR_VERSION === 'undefined' ? 'development' : PREFLEXOR_VERSION;
