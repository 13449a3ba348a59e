// Making tapes and playing them. The operations stand in the files beside this one.
#include "tape.h"
#include <llvm/IR/Intrinsics.h>

namespace tfc {

static const std::vector<Operation> &operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> joined;
    for (auto *part : {&constantOperations, &instructionOperations, &memoryOperations}) joined.insert(joined.end(), part->begin(), part->end());
    return joined;
  }();
  return all;
}

static Tape &tape(const Napi::Value &v) {
  if (!v.IsExternal()) refuse(v, "expected a tape");
  return *v.As<Napi::External<Tape>>().Data();
}

static Napi::Value createTape(Info i) {
  return Napi::External<Tape>::New(i.Env(), new Tape(*module(i[0])), [](Napi::Env, Tape *t) { delete t; });
}

// tapeOperations(): names by number.
static Napi::Value tapeOperations(Info i) {
  auto names = Napi::Array::New(i.Env());
  for (auto &o : operations()) names.Set(names.Length(), Napi::String::New(i.Env(), o.name));
  return names;
}

// playTape(tape, words, count, strings)
static Napi::Value playTape(Info i) {
  auto &t = tape(i[0]);
  if (!i[1].IsTypedArray() || !i[3].IsArray()) refuse(i[1], "expected words and strings");
  auto words = i[1].As<Napi::Int32Array>();
  auto count = number(i[2]);
  if (count > words.ElementLength()) refuse(i[2], "more words than there are");
  auto strings = i[3].As<Napi::Array>();
  Reader reader{t, strings, words.Data(), words.Data() + count};
  auto &all = operations();
  while (reader.at != reader.end) {
    auto first = static_cast<uint32_t>(reader.word());
    reader.flags = first >> 8;
    if ((first & 255) >= all.size()) reader.refuseTape();
    if (auto *made = all[first & 255].play(reader, t.build)) t.made.push_back(made);
  }
  return Napi::Number::New(i.Env(), static_cast<double>(t.made.size()));
}

template <class T> static Napi::Value append(Info i, std::vector<T> &to, T what) {
  to.push_back(what);
  return Napi::Number::New(i.Env(), static_cast<double>(to.size() - 1));
}

static Napi::Value tapeType(Info i) { return append(i, tape(i[0]).types, type(i[1])); }
static Napi::Value tapeValue(Info i) { return append(i, tape(i[0]).given, value(i[1])); }

// tapeObject(tape, number): a value that was played or given, as an object.
static Napi::Value tapeObject(Info i) {
  if (!i[1].IsNumber()) refuse(i[1], "expected a number");
  int32_t word = i[1].As<Napi::Number>().Int32Value();
  Reader reader{tape(i[0]), Napi::Array::New(i.Env()), &word, &word + 1};
  return give(i, reader.value());
}

// tapeIntrinsic(tape, name, signature) → { callee, constants }: a number among what is given, and the parameters that want constants. The overload follows
// from the types; a signature it does not have is refused.
static Napi::Value tapeIntrinsic(Info i) {
  auto &t = tape(i[0]);
  auto name = text(i[1]);
  auto id = llvm::Function::lookupIntrinsicID(name);
  if (id == llvm::Intrinsic::not_intrinsic) refuse(i[1], "no intrinsic is called " + name);
  auto *signature = llvm::dyn_cast<llvm::FunctionType>(type(i[2]));
  if (signature == nullptr) refuse(i[2], "not a function type");
  llvm::SmallVector<llvm::Intrinsic::IITDescriptor, 8> entries;
  llvm::Intrinsic::getIntrinsicInfoTableEntries(id, entries);
  llvm::ArrayRef<llvm::Intrinsic::IITDescriptor> rest = entries;
  llvm::SmallVector<llvm::Type *, 4> overloads;
  bool fits = llvm::Intrinsic::matchIntrinsicSignature(signature, rest, overloads) == llvm::Intrinsic::MatchIntrinsicTypes_Match &&
              !llvm::Intrinsic::matchIntrinsicVarArg(false, rest);
  if (!fits) {
    std::string shown;
    llvm::raw_string_ostream os(shown);
    signature->print(os);
    refuse(i[2], name + " has no signature " + os.str());
  }
  auto *callee = llvm::Intrinsic::getDeclaration(&t.module, id, overloads);
  auto constants = Napi::Array::New(i.Env());
  for (unsigned k = 0; k < signature->getNumParams(); k++)
    if (callee->hasParamAttribute(k, llvm::Attribute::ImmArg)) constants.Set(constants.Length(), Napi::Number::New(i.Env(), k));
  auto found = Napi::Object::New(i.Env());
  found.Set("callee", append(i, t.given, static_cast<llvm::Value *>(callee)));
  found.Set("constants", constants);
  return found;
}

void addTape(Napi::Object &to) {
  add(to, "createTape", createTape);
  add(to, "tapeOperations", tapeOperations);
  add(to, "playTape", playTape);
  add(to, "tapeType", tapeType);
  add(to, "tapeValue", tapeValue);
  add(to, "tapeObject", tapeObject);
  add(to, "tapeIntrinsic", tapeIntrinsic);
}

} // namespace tfc
