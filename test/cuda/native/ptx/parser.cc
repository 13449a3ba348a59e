// The parser of parser.h: modules, functions, declarations; statements are in statements.cc. In: tokens. Out: the tree.
// Holds: scopes are gone afterwards: what a nested one declares has a name of its own.
#include "parser.h"
#include <cstring>
#include "cursor.h"
#include "statements.h"

namespace ptx {

namespace {

const std::map<std::string, Space> kSpaces = {
    {".global", Space::Global}, {".const", Space::Const}, {".shared", Space::Shared}, {".local", Space::Local}, {".param", Space::Param}};

/** The bits of a literal in a variable of this type: decimal ones are of eight bytes. */
uint64_t floatBits(const Operand& value, Scalar scalar) {
  if (value.single == (scalar != Scalar::F64)) return value.bits;
  double number = 0;
  float single = 0;
  if (value.single) {
    const uint32_t bits = static_cast<uint32_t>(value.bits);
    std::memcpy(&single, &bits, sizeof single);
    number = single;
  } else {
    std::memcpy(&number, &value.bits, sizeof number);
    single = static_cast<float>(number);
  }
  uint64_t bits = 0;
  if (scalar == Scalar::F64) std::memcpy(&bits, &number, sizeof number);
  else std::memcpy(&bits, &single, sizeof single);
  return bits;
}

class ModuleParser {
 public:
  explicit ModuleParser(const std::string& source) : cursor_(tokensOf(source)) {}

  Module run() {
    while (!cursor_.ended()) directive();
    if (module_.version == 0) cursor_.fail("no .version");
    return std::move(module_);
  }

 private:
  void directive() {
    const std::string word = cursor_.word();
    if (word == ".version") {
      const std::string text = cursor_.take().text;
      const size_t dot = text.find('.');
      module_.version = std::stoi(text) * 10 + (dot == std::string::npos ? 0 : std::stoi(text.substr(dot + 1)));
    } else if (word == ".target") {
      module_.target = cursor_.word();
      while (cursor_.accept(",")) cursor_.word();
    } else if (word == ".address_size") {
      if (cursor_.integer() != 64) cursor_.fail("only addresses of 64 bits");
    } else if (word == ".visible" || word == ".weak" || word == ".common") {
      // Linkage makes no difference to one module.
    } else if (word == ".extern") {
      external_ = true;
      return;
    } else if (word == ".file" || word == ".loc") {
      cursor_.skipLine();
    } else if (word == ".section") {
      cursor_.word();
      cursor_.skipBraces();
    } else if (word == ".entry") {
      function();
    } else if (word == ".func") {
      while (!cursor_.is("{") && !cursor_.is(";")) cursor_.take();
      if (!cursor_.accept(";")) cursor_.skipBraces();
    } else if (kSpaces.count(word) != 0) {
      for (Variable& one : variablesOf(kSpaces.at(word))) module_.variables.push_back(std::move(one));
    } else {
      cursor_.fail("unexpected " + word);
    }
    external_ = false;
  }

  /** `.align 4 .b8 name[16] = { 1, 2 }, other;` behind the space. */
  std::vector<Variable> variablesOf(Space space) {
    std::vector<Variable> all;
    Variable first;
    first.space = space;
    first.external = external_;
    attributes(first);
    do {
      Variable one = first;
      named(one);
      all.push_back(std::move(one));
    } while (cursor_.accept(","));
    cursor_.expect(";");
    return all;
  }

  void attributes(Variable& one) {
    for (; cursor_.peek().text[0] == '.'; ) {
      const std::string word = cursor_.word();
      const Scalar scalar = scalarNamed(word.substr(1));
      if (word == ".align") one.alignment = static_cast<uint64_t>(cursor_.integer());
      else if (word == ".ptr") pointerAttributes();
      else if (scalar != Scalar::None) one.scalar = scalar;
      else cursor_.fail("unexpected " + word + " in a declaration");
    }
    if (one.scalar == Scalar::None) cursor_.fail("a declaration without a type");
    if (one.alignment < bytesOf(one.scalar)) one.alignment = bytesOf(one.scalar);
  }

  /** `.ptr .global .align 16`: what a parameter points to. */
  void pointerAttributes() {
    if (kSpaces.count(cursor_.peek().text) != 0) cursor_.take();
    if (cursor_.accept(".align")) cursor_.integer();
  }

  void named(Variable& one) {
    one.name = cursor_.name();
    one.bytes = bytesOf(one.scalar);
    while (cursor_.accept("[")) {
      if (cursor_.accept("]")) { one.bytes = 0; continue; }
      one.bytes *= static_cast<uint64_t>(cursor_.integer());
      cursor_.expect("]");
    }
    if (cursor_.accept("=")) initial(one);
    if (one.bytes < one.initial.size()) one.bytes = one.initial.size();
  }

  void initial(Variable& one) {
    if (cursor_.accept("{")) {
      do initial(one);
      while (cursor_.accept(","));
      cursor_.expect("}");
      return;
    }
    const Operand value = operandOf(cursor_);
    uint64_t bits = static_cast<uint64_t>(value.value);
    if (value.kind == Operand::Float) {
      if (isFloat(one.scalar) && bytesOf(one.scalar) < 4) cursor_.fail("numbers of 16 bits are given by their bits");
      bits = floatBits(value, one.scalar);
    } else if (value.kind != Operand::Integer) cursor_.fail("a variable is initialized by numbers");
    for (uint32_t i = 0; i < bytesOf(one.scalar); ++i) one.initial.push_back(static_cast<uint8_t>(bits >> (8 * i)));
  }

  void function() {
    Function made;
    made.name = cursor_.name();
    if (cursor_.accept("(")) {
      while (!cursor_.accept(")")) {
        cursor_.expectWord(".param");
        Variable one;
        one.space = Space::Param;
        attributes(one);
        named(one);
        made.parameters.push_back(std::move(one));
        cursor_.accept(",");
      }
    }
    while (!cursor_.is("{") && !cursor_.is(";")) performance(made);
    if (cursor_.accept(";")) return;
    cursor_.expect("{");
    scopes_.assign(1, {});
    body(made);
    module_.functions.push_back(std::move(made));
  }

  void performance(Function& made) {
    const std::string word = cursor_.word();
    if (word == ".maxntid" || word == ".reqntid") {
      uint32_t product = 1;
      do product *= static_cast<uint32_t>(cursor_.integer());
      while (cursor_.accept(","));
      made.maxThreads = product;
      made.exact = word == ".reqntid";
    } else if (word == ".minnctapersm" || word == ".maxnreg" || word == ".maxnctapersm") {
      cursor_.integer();
    } else if (word != ".noreturn") {
      cursor_.fail("unexpected " + word + " of an entry");
    }
  }

  struct Scope {
    std::map<std::string, std::string> names;
    std::map<std::string, std::string> labels;
    size_t first = 0;
  };

  /** What stands between braces, the closing one included. */
  void body(Function& made) {
    while (!cursor_.accept("}")) {
      if (cursor_.accept("{")) {
        scopes_.push_back({{}, {}, made.statements.size()});
        body(made);
        closeScope(made);
        continue;
      }
      const std::string& word = cursor_.peek().text;
      if (word == ".reg") registers(made);
      else if (word == ".loc" || word == ".file") { cursor_.take(); cursor_.skipLine(); }
      else if (word == ".pragma") { cursor_.take(); cursor_.take(); cursor_.expect(";"); }
      else if (kSpaces.count(word) != 0) local(made);
      else if (cursor_.peek(1).text == ":") label(made);
      else made.statements.push_back(statementOf(cursor_, [&](const std::string& name) { return nameOf(name); }));
    }
  }

  std::string declared(const std::string& name) {
    if (scopes_.size() == 1) return name;
    return scopes_.back().names[name] = name + "'" + std::to_string(++scopesMade_);
  }

  std::string nameOf(const std::string& name) const {
    for (size_t i = scopes_.size(); i-- > 0;) {
      const auto found = scopes_[i].names.find(name);
      if (found != scopes_[i].names.end()) return found->second;
    }
    return name;
  }

  void registers(Function& made) {
    cursor_.take();
    const std::string type = cursor_.word();
    const Scalar scalar = scalarNamed(type.substr(1));
    if (scalar == Scalar::None || scalar == Scalar::B128) cursor_.fail("registers of type " + type);
    do {
      const std::string name = cursor_.name();
      if (!cursor_.accept("<")) { made.registers[declared(name)] = scalar; continue; }
      const int64_t count = cursor_.integer();
      cursor_.expect(">");
      for (int64_t i = 0; i < count; ++i) made.registers[declared(name + std::to_string(i))] = scalar;
    } while (cursor_.accept(","));
    cursor_.expect(";");
  }

  void local(Function& made) {
    const Space space = kSpaces.at(cursor_.word());
    for (Variable& one : variablesOf(space)) {
      one.name = declared(one.name);
      made.variables.push_back(std::move(one));
    }
  }

  void label(Function& made) {
    const std::string name = cursor_.name();
    cursor_.expect(":");
    std::string unique = name;
    if (scopes_.size() > 1) scopes_.back().labels[name] = unique = name + "'" + std::to_string(++scopesMade_);
    if (!made.labels.emplace(unique, made.statements.size()).second) cursor_.fail("a second label " + name);
  }

  /** Branches inside of a scope mean its labels, also those behind them. */
  void closeScope(Function& made) {
    const Scope scope = std::move(scopes_.back());
    scopes_.pop_back();
    for (size_t i = scope.first; i < made.statements.size(); ++i)
      for (Operand& operand : made.statements[i].operands) {
        const auto found = scope.labels.find(operand.name);
        if (found != scope.labels.end()) operand.name = found->second;
      }
  }

  Cursor cursor_;
  Module module_;
  std::vector<Scope> scopes_;
  int scopesMade_ = 0;
  bool external_ = false;
};

}  // namespace

Module parse(const std::string& source) { return ModuleParser(source).run(); }

}  // namespace ptx
