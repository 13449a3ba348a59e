// Text of PTX → syntax tree. In: PTX as LLVM 19 and nvcc write it (7.5 to 8.5). Out: a module. Holds: what is not understood is a
// fault `kInvalidPtx` with its line, never skipped, except debug information.
#pragma once
#include <string>
#include "syntax.h"

namespace ptx {

Module parse(const std::string& source);

}  // namespace ptx
