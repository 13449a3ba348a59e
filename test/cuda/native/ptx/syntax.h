// The syntax tree of a PTX module. In: what the parser reads. Out: functions, variables, statements, operands. Holds: names stand as
// written, except that registers and labels of nested scopes are made unique; nothing is looked up yet.
#pragma once
#include <map>
#include <string>
#include <vector>
#include "scalar.h"

namespace ptx {

enum class Space : uint8_t { Generic, Global, Const, Shared, Local, Param };

struct Operand {
  enum Kind : uint8_t { Name, Integer, Float, Address, Vector, Sink };
  Kind kind = Sink;
  /** Of `Name`: a register, a variable, a label or a special register. */
  std::string name;
  /** Of `%r1|%p1`: the second one. */
  std::string second;
  bool negated = false;
  /** Of `Integer`: its value; of `Address` and `Name`: what is added. */
  int64_t value = 0;
  /** Of `Float`: the bits, of four bytes or eight. */
  uint64_t bits = 0;
  bool single = false;
  /** Of `Vector`: its elements; of `Address`: the base, and coordinates (a vector) where there are some. */
  std::vector<Operand> items;
};

struct Statement {
  /** `ld.global.v4.f32` as parts: `ld`, `global`, `v4`, `f32`. */
  std::vector<std::string> parts;
  std::vector<Operand> operands;
  std::string predicate;
  bool negated = false;
  int line = 0;
  std::string text;
};

struct Variable {
  std::string name;
  Space space = Space::Global;
  Scalar scalar = Scalar::None;
  uint64_t bytes = 0;
  uint64_t alignment = 1;
  bool external = false;
  std::vector<uint8_t> initial;
};

struct Function {
  std::string name;
  std::vector<Variable> parameters;
  /** Register name → type. */
  std::map<std::string, Scalar> registers;
  std::vector<Variable> variables;
  std::vector<Statement> statements;
  /** Label → the statement that it stands before. */
  std::map<std::string, size_t> labels;
  /** Threads of a block, at most; 0: no limit is written. */
  uint32_t maxThreads = 0;
  bool exact = false;
};

struct Module {
  int version = 0;
  std::string target;
  std::vector<Variable> variables;
  std::vector<Function> functions;
};

}  // namespace ptx
