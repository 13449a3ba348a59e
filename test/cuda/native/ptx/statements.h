// Instructions and operands of PTX. In: a cursor before one. Out: its tree. Holds: every name goes through `nameOf`, which knows scopes.
#pragma once
#include <functional>
#include "cursor.h"
#include "syntax.h"

namespace ptx {

using NameOf = std::function<std::string(const std::string&)>;

Operand operandOf(Cursor& cursor, const NameOf& nameOf = [](const std::string& name) { return name; });
Statement statementOf(Cursor& cursor, const NameOf& nameOf);

}  // namespace ptx
