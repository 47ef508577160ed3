#!/usr/bin/env node
// `npm test`: installs what the tests need, then runs them stage by stage. The stages are in test.ts.
// Whatever happens, the last line is `N passed, N failed`.
import { main } from './bootstrap.mjs';

process.exitCode = await main('./test.ts', '0 passed, 1 failed');
