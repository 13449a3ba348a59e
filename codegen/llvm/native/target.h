// What emission in one piece and in parts share. In: descriptions of targets. Out: code generators, passes that have run. Holds: a target's description belongs to
// no thread; errors are texts, because only the thread of JavaScript may throw.
#pragma once
#include "support.h"
#include <chrono>
#include <llvm/Support/CodeGen.h>
#include <llvm/Target/TargetMachine.h>

namespace tfc {

using Clock = std::chrono::steady_clock;
inline double since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

using Bytes = llvm::SmallVector<char, 0>;

struct Description {
  std::string triple, cpu, features;
  llvm::CodeGenOptLevel level;
  bool loopPasses;
  /** Null, with the reason in `error`, for a target that there is not. */
  std::unique_ptr<llvm::TargetMachine> machine(std::string &error) const;
};

// A description { triple, cpu, features, optLevel, loopPasses }.
Description description(const Napi::Value &v);

// What is wrong with a module; empty for one that is well formed.
std::string faults(const llvm::Module &m);

// Gives the module its triple, its data layout and its functions their processor.
void prepare(llvm::Module &m, llvm::TargetMachine &to, const Description &described);

// For all emissions from here on.
void setLoopPasses(bool on, const Napi::Value &at);

// Keeps what LLVM has to say about a module, which would otherwise end the process.
struct Complaints {
  llvm::LLVMContext &c;
  std::string said;
  explicit Complaints(llvm::LLVMContext &context);
  ~Complaints();
};

// Both give what went wrong, or nothing.
std::string runPasses(llvm::Module &m, llvm::TargetMachine &to, const std::string &passes, bool autovectorize);
std::string generate(llvm::Module &m, llvm::TargetMachine &to, llvm::CodeGenFileType kind, Bytes &into);

} // namespace tfc
