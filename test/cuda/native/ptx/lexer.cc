// The lexer of lexer.h. In: text. Out: tokens. Holds: a character that PTX does not know is a fault with its line.
#include "lexer.h"
#include <cctype>
#include "fault.h"

namespace ptx {

namespace {

bool startsWord(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' || c == '.'; }
bool inWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '.'; }

class Lexer {
 public:
  explicit Lexer(const std::string& source) : source_(source) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    for (skip(); at_ < source_.size(); skip()) tokens.push_back(next());
    tokens.push_back({Lexeme::End, "", line_});
    return tokens;
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }

  void skip() {
    while (at_ < source_.size()) {
      const char c = peek();
      if (c == '\0') { at_ = source_.size(); return; }
      if (c == '\n') ++line_;
      if (std::isspace(static_cast<unsigned char>(c))) ++at_;
      else if (c == '/' && peek(1) == '/') while (at_ < source_.size() && peek() != '\n') ++at_;
      else if (c == '/' && peek(1) == '*') block();
      else return;
    }
  }

  void block() {
    const int opened = line_;
    for (at_ += 2; !(peek() == '*' && peek(1) == '/'); ++at_) {
      if (at_ >= source_.size()) throw Fault(kInvalidPtx, "line " + std::to_string(opened) + ": a comment without an end");
      if (peek() == '\n') ++line_;
    }
    at_ += 2;
  }

  Token next() {
    const char c = peek();
    const size_t from = at_;
    if (startsWord(c)) {
      for (++at_; inWord(peek()) || (peek() == ':' && peek(1) == ':'); ) at_ += peek() == ':' ? 2 : 1;
      return {Lexeme::Word, source_.substr(from, at_ - from), line_};
    }
    if (std::isdigit(static_cast<unsigned char>(c))) {
      // An exponent has a sign, unless `e` is a digit of a hexadecimal number.
      const bool hexadecimal = c == '0' && std::isalpha(static_cast<unsigned char>(peek(1)));
      for (++at_; inWord(peek()) || (!hexadecimal && (peek() == '+' || peek() == '-') && std::tolower(source_[at_ - 1]) == 'e');) ++at_;
      return {Lexeme::Number, source_.substr(from, at_ - from), line_};
    }
    if (c == '"') {
      for (++at_; peek() != '"'; ++at_)
        if (at_ >= source_.size()) throw Fault(kInvalidPtx, "line " + std::to_string(line_) + ": a text without an end");
      ++at_;
      return {Lexeme::Text, source_.substr(from + 1, at_ - from - 2), line_};
    }
    static const std::string marks = "{}[]()<>,;:@!|+-=*";
    if (marks.find(c) == std::string::npos)
      throw Fault(kInvalidPtx, "line " + std::to_string(line_) + ": unexpected character '" + std::string(1, c) + "'");
    ++at_;
    return {Lexeme::Mark, std::string(1, c), line_};
  }

  const std::string& source_;
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<Token> tokensOf(const std::string& source) { return Lexer(source).run(); }

}  // namespace ptx
