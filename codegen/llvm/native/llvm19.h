// What LLVM 14 had and LLVM 19 no longer has, for llvm-bindings' sources; included ahead of each of them.
#pragma once
#include <llvm/IR/IRBuilder.h>
#include <optional>

namespace llvm {
inline constexpr std::nullopt_t None = std::nullopt;
template <class T> using Optional = std::optional<T>;
} // namespace llvm

namespace tfc {
// Casts gained trailing flags (nuw, nsw, nneg): one call for every arity, flags off.
template <class... Flags>
llvm::Value *castWith(llvm::IRBuilderBase &b, llvm::Value *(llvm::IRBuilderBase::*method)(llvm::Value *, llvm::Type *, const llvm::Twine &, Flags...),
                      llvm::Value *value, llvm::Type *type, const llvm::Twine &name) {
  return (b.*method)(value, type, name, Flags{}...);
}
} // namespace tfc
