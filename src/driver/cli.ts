#!/usr/bin/env node
// The command. In: the process's arguments. Out: one command's exit code.

import { runCommand } from './command-line.js';

await runCommand(process.argv.slice(2));
