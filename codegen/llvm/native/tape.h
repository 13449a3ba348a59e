// A module's tape: what is built, as words that are played at once, because a call from JavaScript costs more than the instruction that it makes.
// In: words, each instruction one of `operations` with its operands. Out: LLVM's values. Holds: an operand is a number below what there is of its kind,
// or the tape is refused; that operands fit their instruction, the caller has checked.
#pragma once
#include "support.h"

namespace tfc {

struct Tape {
  llvm::Module &module;
  llvm::LLVMContext &context;
  llvm::IRBuilder<> build;
  /** What the tape has made: numbers from zero up. */
  std::vector<llvm::Value *> made;
  /** What was made without it: functions, globals, data; numbers from minus one down. */
  std::vector<llvm::Value *> given;
  std::vector<llvm::Type *> types;
  std::vector<llvm::BasicBlock *> blocks;
  explicit Tape(llvm::Module &m) : module(m), context(m.getContext()), build(m.getContext()) {}
};

/** One instruction's words, and the strings that they name. */
struct Reader {
  Tape &tape;
  Napi::Array strings;
  const int32_t *at, *end;
  /** Above the operation's number in its word. */
  uint32_t flags = 0;

  [[noreturn]] void refuseTape() const { refuse(strings, "the tape is damaged"); }
  int32_t word() {
    if (at == end) refuseTape();
    return *at++;
  }
  template <class T> T entry(const std::vector<T> &all, int64_t index) const {
    if (index < 0 || index >= static_cast<int64_t>(all.size())) refuseTape();
    return all[static_cast<size_t>(index)];
  }
  llvm::Value *value() {
    int64_t index = word();
    return index >= 0 ? entry(tape.made, index) : entry(tape.given, -1 - index);
  }
  template <class T> T *valueAs() {
    if (auto *found = llvm::dyn_cast<T>(value())) return found;
    refuseTape();
  }
  llvm::Constant *constant() { return valueAs<llvm::Constant>(); }
  llvm::Function *function() { return valueAs<llvm::Function>(); }
  llvm::Type *type() { return entry(tape.types, word()); }
  template <class T> T *typeAs() {
    if (auto *found = llvm::dyn_cast<T>(type())) return found;
    refuseTape();
  }
  llvm::BasicBlock *block() { return entry(tape.blocks, word()); }
  std::string text() { return tfc::text(strings.Get(static_cast<uint32_t>(word()))); }
  uint64_t wide() {
    auto low = static_cast<uint32_t>(word());
    return static_cast<uint64_t>(static_cast<uint32_t>(word())) << 32 | low;
  }
  llvm::MaybeAlign alignment() { return llvm::MaybeAlign(static_cast<uint32_t>(word())); }
  llvm::Align alignmentOr(llvm::Type *natural) {
    auto asked = alignment();
    return asked ? *asked : tape.module.getDataLayout().getABITypeAlign(natural);
  }
  template <class T, class F> llvm::SmallVector<T, 8> list(F each) {
    llvm::SmallVector<T, 8> all;
    for (int32_t count = word(); count > 0; count--) all.push_back(each());
    return all;
  }
  llvm::SmallVector<llvm::Value *, 8> values() {
    return list<llvm::Value *>([&] { return value(); });
  }
  llvm::SmallVector<llvm::Constant *, 8> constants() {
    return list<llvm::Constant *>([&] { return constant(); });
  }
  llvm::SmallVector<unsigned, 8> numbers() {
    return list<unsigned>([&] { return static_cast<unsigned>(word()); });
  }
};

/** `play` reads its operands and gives the value that it makes, or null for one that makes none. */
struct Operation {
  const char *name;
  llvm::Value *(*play)(Reader &, llvm::IRBuilderBase &);
};

extern const std::vector<Operation> constantOperations, instructionOperations, memoryOperations;

} // namespace tfc
