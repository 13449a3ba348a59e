// The parser of statements.h. In: tokens. Out: one operand, one instruction. Holds: floating-point literals keep their bits
// (`0f3F800000`, `0d…`); decimal ones are of eight bytes.
#include "statements.h"
#include <cstring>

namespace ptx {

namespace {

bool isFloatLiteral(const std::string& text) {
  if (text.size() > 2 && text[0] == '0' && std::isalpha(static_cast<unsigned char>(text[1]))) return std::strchr("fFdD", text[1]) != nullptr;
  return text.find_first_of(".eE") != std::string::npos;
}

Operand literal(Cursor& cursor, bool negative) {
  Operand made;
  const std::string& text = cursor.peek().text;
  if (!isFloatLiteral(text)) {
    made.kind = Operand::Integer;
    made.value = cursor.integer();
    if (negative) made.value = -made.value;
    return made;
  }
  made.kind = Operand::Float;
  const char mark = text.size() > 1 ? text[1] : '\0';
  if (mark == 'f' || mark == 'F') {
    made.single = true;
    made.bits = std::strtoull(text.c_str() + 2, nullptr, 16) ^ (negative ? 0x80000000u : 0u);
  } else if (mark == 'd' || mark == 'D') {
    made.bits = std::strtoull(text.c_str() + 2, nullptr, 16) ^ (negative ? uint64_t{1} << 63 : 0u);
  } else {
    const double value = negative ? -std::strtod(text.c_str(), nullptr) : std::strtod(text.c_str(), nullptr);
    std::memcpy(&made.bits, &value, sizeof value);
  }
  cursor.take();
  return made;
}

/** `+ 4`, `+-4`, `-4` behind a name; nothing is 0. */
int64_t added(Cursor& cursor) {
  if (cursor.accept("+")) return cursor.integer();
  return cursor.is("-") ? cursor.integer() : 0;
}

Operand address(Cursor& cursor, const NameOf& nameOf) {
  Operand made;
  made.kind = Operand::Address;
  Operand base;
  if (cursor.peek().kind == Lexeme::Number) {
    base.kind = Operand::Integer;
    base.value = cursor.integer();
  } else {
    base.kind = Operand::Name;
    base.name = nameOf(cursor.word());
  }
  made.value = added(cursor);
  made.items.push_back(base);
  if (cursor.accept(",")) made.items.push_back(operandOf(cursor, nameOf));
  cursor.expect("]");
  return made;
}

Operand vector(Cursor& cursor, const NameOf& nameOf) {
  Operand made;
  made.kind = Operand::Vector;
  do made.items.push_back(operandOf(cursor, nameOf));
  while (cursor.accept(","));
  cursor.expect("}");
  return made;
}

}  // namespace

Operand operandOf(Cursor& cursor, const NameOf& nameOf) {
  if (cursor.accept("[")) return address(cursor, nameOf);
  if (cursor.accept("{")) return vector(cursor, nameOf);
  if (cursor.accept("-")) return literal(cursor, true);
  if (cursor.peek().kind == Lexeme::Number) return literal(cursor, false);
  Operand made;
  made.negated = cursor.accept("!");
  const std::string name = cursor.word();
  if (name != "_") {
    made.kind = Operand::Name;
    made.name = nameOf(name);
    made.value = added(cursor);
  }
  if (cursor.accept("|")) {
    const std::string second = cursor.word();
    if (second != "_") made.second = nameOf(second);
  }
  return made;
}

Statement statementOf(Cursor& cursor, const NameOf& nameOf) {
  Statement made;
  made.line = cursor.line();
  if (cursor.accept("@")) {
    made.negated = cursor.accept("!");
    made.predicate = nameOf(cursor.word());
  }
  made.text = cursor.word();
  for (size_t from = 0; from <= made.text.size();) {
    const size_t to = std::min(made.text.find('.', from), made.text.size());
    made.parts.push_back(made.text.substr(from, to - from));
    from = to + 1;
  }
  while (!cursor.accept(";")) {
    made.operands.push_back(operandOf(cursor, nameOf));
    if (!cursor.is(";")) cursor.expect(",");
  }
  return made;
}

}  // namespace ptx
