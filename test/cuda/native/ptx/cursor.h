// A place in the tokens of a module. In: tokens. Out: the next ones, with what was expected when they are others. Holds: it never
// moves behind the end.
#pragma once
#include <cstdlib>
#include "fault.h"
#include "lexer.h"

namespace ptx {

class Cursor {
 public:
  explicit Cursor(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool ended() const { return peek().kind == Lexeme::End; }
  bool is(const char* text) const { return peek().text == text && peek().kind != Lexeme::Text; }
  int line() const { return peek().line; }

  Token take() {
    const Token token = peek();
    if (token.kind == Lexeme::End) fail("the text ends here");
    ++at_;
    return token;
  }

  bool accept(const char* text) {
    if (!is(text)) return false;
    ++at_;
    return true;
  }

  void expect(const char* text) {
    if (!accept(text)) fail(std::string("expected '") + text + "', found '" + peek().text + "'");
  }

  void expectWord(const char* text) { expect(text); }

  std::string word() {
    if (peek().kind != Lexeme::Word) fail("expected a name, found '" + peek().text + "'");
    return take().text;
  }

  /** What is declared: dots are for what PTX calls by name itself. */
  std::string name() {
    const std::string text = word();
    if (text.find('.') != std::string::npos) fail("'" + text + "' is no name");
    return text;
  }

  int64_t integer() {
    const bool negative = accept("-");
    if (peek().kind != Lexeme::Number) fail("expected a number, found '" + peek().text + "'");
    const std::string text = take().text;
    const bool binary = text.size() > 2 && text[0] == '0' && (text[1] == 'b' || text[1] == 'B');
    const uint64_t value = binary ? std::strtoull(text.c_str() + 2, nullptr, 2) : std::strtoull(text.c_str(), nullptr, 0);
    return negative ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
  }

  void skipLine() {
    const int line = tokens_[at_ - 1].line;
    while (!ended() && peek().line == line) ++at_;
  }

  void skipBraces() {
    expect("{");
    for (int depth = 1; depth > 0;) {
      const Token token = take();
      if (token.text == "{") ++depth;
      if (token.text == "}") --depth;
    }
  }

  [[noreturn]] void fail(const std::string& what) const { throw Fault(kInvalidPtx, "line " + std::to_string(line()) + ": " + what); }

 private:
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

}  // namespace ptx
