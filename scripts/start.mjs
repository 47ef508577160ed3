#!/usr/bin/env node
// `npm start`: from a fresh clone to an editor with the extension in it. The steps are in start.ts.
import { main } from './bootstrap.mjs';

process.exitCode = await main('./start.ts');
