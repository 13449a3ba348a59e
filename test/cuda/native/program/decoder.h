// Syntax → instructions. In: a module, and who gives its variables memory. Out: a program. Holds: every form of an instruction is either
// run exactly as PTX defines it or refused with its line; families of instructions add themselves to a table.
#pragma once
#include <functional>
#include <map>
#include <cstring>
#include <set>
#include "../machine/program.h"
#include "../ptx/fault.h"

namespace machine {

/** Gives a variable of global memory its address. */
using Allocate = std::function<uint64_t(uint64_t bytes, const std::vector<uint8_t>& initial)>;

std::unique_ptr<Program> decode(const ptx::Module& module, const Allocate& allocate);

/** One statement while it is decoded. */
class Site {
 public:
  Site(const ptx::Statement& statement, const ptx::Function& function, Kernel& kernel, class KernelNames& names)
      : statement(statement), function(function), kernel(kernel), names_(names) {}

  const ptx::Statement& statement;
  const ptx::Function& function;
  Kernel& kernel;
  Instruction made;

  /** Whether a part of the name is this, without what follows `::`. */
  bool has(const std::string& part) const;
  bool starts(const std::string& prefix) const { return statement.text.rfind(prefix, 0) == 0; }
  /** The types among its parts; the one at `index`, or none. */
  ptx::Scalar type(size_t index = 0) const;
  size_t count() const { return statement.operands.size(); }
  const ptx::Operand& operand(size_t index) const;
  /** The slot of an operand that is read, or written, as this type. */
  Slot slot(const ptx::Operand& operand, ptx::Scalar type);
  Slot slot(size_t index, ptx::Scalar type) { return slot(operand(index), type); }
  /** A register as wide as it is declared. */
  Slot any(const ptx::Operand& operand, ptx::Scalar type);
  Slot constant(uint64_t value, bool wide);
  Slot carry();
  /** Operands 0, 1, … are all of this type. */
  void all(ptx::Scalar type, size_t operands);
  /** `[register + offset]`: the base's slot. */
  Slot address(size_t index, int64_t& offset);
  ptx::Space space() const;
  ptx::Scalar declared(const ptx::Operand& operand) const;
  [[noreturn]] void fail(const std::string& what) const;

 private:
  class KernelNames& names_;
};

using Decode = void (*)(Site&);
/** By name; `add.real` is what `add` is for f32 and f64, `add.half` for types of 16 bits. */
using Table = std::map<std::string, Decode>;

void addIntegers(Table& table);
void addBits(Table& table);
void addFloats(Table& table);
void addHalves(Table& table);
void addComparisons(Table& table);
void addConversions(Table& table);
void addMoves(Table& table);
void addMemory(Table& table);
void addAtomics(Table& table);
void addWarps(Table& table);
void addMatrices(Table& table);
void addGroups(Table& table);
void addAsynchronous(Table& table);
void addControl(Table& table);

}  // namespace machine
