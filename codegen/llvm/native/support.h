// What our part of the addon shares. In: values as Node hands them over. Out: the LLVM objects behind them.
// Holds: a null, missing or wrong object is a JavaScript TypeError here, never a null pointer inside LLVM.
#pragma once
#include "IR/index.h"
#include "Util/index.h"
#include <llvm/IR/IRBuilder.h>
#include <string>
#include <vector>

namespace tfc {

using Info = const Napi::CallbackInfo &;

[[noreturn]] inline void refuse(const Napi::Value &at, const std::string &message) { throw Napi::TypeError::New(at.Env(), message); }

template <class Wrapped> auto extract(const Napi::Value &v, const char *what) {
  if (!v.IsObject() || !Wrapped::IsClassOf(v)) refuse(v, std::string("expected ") + what);
  return Wrapped::Extract(v);
}

inline llvm::Value *value(const Napi::Value &v) { return extract<Value>(v, "a value"); }
inline llvm::Type *type(const Napi::Value &v) { return extract<Type>(v, "a type"); }
inline llvm::Function *function(const Napi::Value &v) { return extract<Function>(v, "a function"); }
inline llvm::Module *module(const Napi::Value &v) { return extract<Module>(v, "a module"); }

inline llvm::LLVMContext &context(const Napi::Value &v) {
  if (!v.IsObject() || !LLVMContext::IsClassOf(v)) refuse(v, "expected a context");
  return LLVMContext::Extract(v);
}

template <class T> T *as(const Napi::Value &v, const char *what) {
  if (auto *result = llvm::dyn_cast<T>(value(v))) return result;
  refuse(v, std::string("expected ") + what);
}

inline llvm::Constant *constant(const Napi::Value &v) { return as<llvm::Constant>(v, "a constant"); }

inline uint32_t number(const Napi::Value &v) {
  if (!v.IsNumber()) refuse(v, "expected a number");
  return v.As<Napi::Number>().Uint32Value();
}

inline bool flag(const Napi::Value &v) {
  if (!v.IsBoolean()) refuse(v, "expected a boolean");
  return v.As<Napi::Boolean>().Value();
}

inline std::string text(const Napi::Value &v) {
  if (!v.IsString()) refuse(v, "expected a string");
  return v.As<Napi::String>().Utf8Value();
}

inline uint64_t bits(const Napi::Value &v) {
  if (!v.IsBigInt()) refuse(v, "expected a bigint");
  bool lossless = true;
  return v.As<Napi::BigInt>().Uint64Value(&lossless);
}

// Alignment in bytes; zero stands for "what the data layout says".
inline llvm::MaybeAlign alignment(const Napi::Value &v) {
  uint32_t bytes = number(v);
  if (bytes != 0 && (bytes & (bytes - 1)) != 0) refuse(v, "an alignment must be a power of two");
  return bytes == 0 ? llvm::MaybeAlign() : llvm::MaybeAlign(bytes);
}

template <class T, class F> std::vector<T> list(const Napi::Value &v, F each) {
  if (!v.IsArray()) refuse(v, "expected an array");
  auto array = v.As<Napi::Array>();
  std::vector<T> out;
  out.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) out.push_back(each(array.Get(i)));
  return out;
}

inline Napi::Value give(Info info, llvm::Value *v) { return Value::New(info.Env(), v); }

inline void add(Napi::Object &to, const char *name, Napi::Value (*f)(Info)) { to.Set(name, Napi::Function::New(to.Env(), f, name)); }

void addConstants(Napi::Object &to);
void addAttributes(Napi::Object &to);
void addTape(Napi::Object &to);
void addTarget(Napi::Object &to);
void addParts(Napi::Object &to);
void addLinker(Napi::Object &to);

} // namespace tfc
