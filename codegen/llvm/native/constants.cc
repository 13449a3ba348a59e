// Types, constants and globals that llvm-bindings lacks; constants as operations of the tape. The caller has checked that element types agree.
#include "tape.h"
#include <llvm/IR/Constants.h>
#include <cstring>

namespace tfc {

static Napi::Value vectorType(Info i) {
  auto *element = type(i[0]);
  if (!llvm::VectorType::isValidElementType(element)) refuse(i[0], "not a vector's element type");
  return Type::New(i.Env(), llvm::FixedVectorType::get(element, number(i[1])));
}

static Napi::Value pointerType(Info i) { return Type::New(i.Env(), llvm::PointerType::get(context(i[0]), number(i[1]))); }

static Napi::Value structType(Info i) { return Type::New(i.Env(), llvm::StructType::get(context(i[0]), list<llvm::Type *>(i[1], type), flag(i[2]))); }

// constData(elementType, bytes): a dense array, the bytes in this machine's order.
static Napi::Value constData(Info i) {
  auto *element = type(i[0]);
  if (!llvm::ConstantDataSequential::isElementTypeCompatible(element) || !i[1].IsTypedArray()) refuse(i[0], "not a dense element type with bytes");
  auto bytes = i[1].As<Napi::Uint8Array>();
  llvm::StringRef data(reinterpret_cast<const char *>(bytes.Data()), bytes.ByteLength());
  uint64_t size = element->getPrimitiveSizeInBits().getFixedValue() / 8;
  if (data.size() % size != 0) refuse(i[1], "the bytes are no whole number of elements");
  return give(i, llvm::ConstantDataArray::getRaw(data, data.size() / size, element));
}

// global(module, type, isConstant, linkage, initializer | null, name, addressSpace, alignment, section)
static Napi::Value global(Info i) {
  auto *initial = i[4].IsNull() ? nullptr : constant(i[4]);
  auto linkage = static_cast<llvm::GlobalValue::LinkageTypes>(number(i[3]));
  auto *g = new llvm::GlobalVariable(*module(i[0]), type(i[1]), flag(i[2]), linkage, initial, text(i[5]), nullptr, llvm::GlobalValue::NotThreadLocal, number(i[6]));
  g->setAlignment(alignment(i[7]));
  if (auto section = text(i[8]); !section.empty()) g->setSection(section);
  return GlobalVariable::New(i.Env(), g);
}

using Builder = llvm::IRBuilderBase;
using Made = llvm::Value *;

// type, low and high half
static Made integer(Reader &r, Builder &) {
  auto *t = r.type();
  return llvm::ConstantInt::get(t, llvm::APInt(64, r.wide()).zextOrTrunc(t->getScalarSizeInBits()));
}

// type, low and high half of a double, which is rounded to the type, to nearest even
static Made real(Reader &r, Builder &) {
  auto *t = r.type();
  uint64_t bits = r.wide();
  double number;
  std::memcpy(&number, &bits, sizeof number);
  return llvm::ConstantFP::get(t, number);
}

// type, low and high half of the type's own bits
static Made realBits(Reader &r, Builder &) {
  auto *t = r.type();
  auto *scalar = t->getScalarType();
  llvm::APFloat exact(scalar->getFltSemantics(), llvm::APInt(64, r.wide()).trunc(scalar->getScalarSizeInBits()));
  return llvm::ConstantFP::get(t, exact);
}

static Made array(Reader &r, Builder &) {
  auto *t = r.typeAs<llvm::ArrayType>();
  return llvm::ConstantArray::get(t, r.constants());
}

static Made structure(Reader &r, Builder &) {
  auto *t = r.typeAs<llvm::StructType>();
  return llvm::ConstantStruct::get(t, r.constants());
}

// type, base, indices
static Made address(Reader &r, Builder &) {
  auto *t = r.type();
  auto *base = r.constant();
  return llvm::ConstantExpr::getInBoundsGetElementPtr(t, base, r.constants());
}

const std::vector<Operation> constantOperations = {
    {"integer", integer}, {"real", real}, {"realBits", realBits},
    {"zero", [](Reader &r, Builder &) -> Made { return llvm::Constant::getNullValue(r.type()); }},
    {"ones", [](Reader &r, Builder &) -> Made { return llvm::Constant::getAllOnesValue(r.type()); }},
    {"undef", [](Reader &r, Builder &) -> Made { return llvm::UndefValue::get(r.type()); }},
    {"poison", [](Reader &r, Builder &) -> Made { return llvm::PoisonValue::get(r.type()); }},
    {"vector", [](Reader &r, Builder &) -> Made { return llvm::ConstantVector::get(r.constants()); }},
    {"array", array}, {"struct", structure}, {"address", address},
};

void addConstants(Napi::Object &to) {
  add(to, "vectorType", vectorType);
  add(to, "pointerType", pointerType);
  add(to, "structType", structType);
  add(to, "constData", constData);
  add(to, "global", global);
}

} // namespace tfc
