// This machine's processor, where only the compiler knows LLVM. In: nothing. Out: text that is the same for processors that run, and get,
// the same code.

import { arch } from 'node:os';
import { processorKey } from '../../../runtime/abi/processor.js';
import { loadNative } from '../../../runtime/native.js';

/** Errors: toolchain-missing. */
export const processor = (): string => `${arch()} ${processorKey(loadNative().processor())}`;
