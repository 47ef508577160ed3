#!/usr/bin/env node
// `npm run package`: makes the extension's package (.vsix) for one platform. The steps are in package.ts.
import { main } from './bootstrap.mjs';

process.exitCode = await main('./package.ts');
