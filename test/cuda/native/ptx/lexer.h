// PTX as tokens. In: text. Out: words (with their dots: `ld.global.f32`, `%tid.x`), numbers, strings, punctuation, with lines.
// Holds: comments are gone; `::` belongs to words, a single `:` does not, because it ends labels.
#pragma once
#include <string>
#include <vector>

namespace ptx {

enum class Lexeme : uint8_t { Word, Number, Text, Mark, End };

struct Token {
  Lexeme kind;
  std::string text;
  int line;
};

std::vector<Token> tokensOf(const std::string& source);

}  // namespace ptx
