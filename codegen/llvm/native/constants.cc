// Types, constants and globals that llvm-bindings lacks. The caller has checked that element types agree.
#include "support.h"
#include <llvm/IR/Constants.h>
#include <llvm/IR/InlineAsm.h>

namespace tfc {

static Napi::Value vectorType(Info i) {
  auto *element = type(i[0]);
  if (!llvm::VectorType::isValidElementType(element)) refuse(i[0], "not a vector's element type");
  return Type::New(i.Env(), llvm::FixedVectorType::get(element, number(i[1])));
}

static Napi::Value pointerType(Info i) { return Type::New(i.Env(), llvm::PointerType::get(context(i[0]), number(i[1]))); }

static Napi::Value structType(Info i) { return Type::New(i.Env(), llvm::StructType::get(context(i[0]), list<llvm::Type *>(i[1], type), flag(i[2]))); }

static Napi::Value constInt(Info i) {
  auto *t = type(i[0]);
  if (!t->isIntOrIntVectorTy()) refuse(i[0], "not an integer type");
  return give(i, llvm::ConstantInt::get(t, llvm::APInt(64, bits(i[1])).zextOrTrunc(t->getScalarSizeInBits())));
}

// A number is rounded to the type, to nearest even; a bigint is the bit pattern.
static Napi::Value constFloat(Info i) {
  auto *t = type(i[0]);
  if (!t->isFPOrFPVectorTy()) refuse(i[0], "not a floating-point type");
  if (i[1].IsNumber()) return give(i, llvm::ConstantFP::get(t, i[1].As<Napi::Number>().DoubleValue()));
  auto *scalar = t->getScalarType();
  llvm::APFloat exact(scalar->getFltSemantics(), llvm::APInt(scalar->getScalarSizeInBits(), bits(i[1])));
  return give(i, llvm::ConstantFP::get(t, exact));
}

static Napi::Value constVector(Info i) { return give(i, llvm::ConstantVector::get(list<llvm::Constant *>(i[0], constant))); }

static Napi::Value constArray(Info i) {
  auto *t = llvm::dyn_cast<llvm::ArrayType>(type(i[0]));
  if (t == nullptr) refuse(i[0], "not an array type");
  return give(i, llvm::ConstantArray::get(t, list<llvm::Constant *>(i[1], constant)));
}

static Napi::Value constStruct(Info i) {
  auto *t = llvm::dyn_cast<llvm::StructType>(type(i[0]));
  if (t == nullptr) refuse(i[0], "not a struct type");
  return give(i, llvm::ConstantStruct::get(t, list<llvm::Constant *>(i[1], constant)));
}

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

static Napi::Value constNull(Info i) { return give(i, llvm::Constant::getNullValue(type(i[0]))); }
static Napi::Value constOnes(Info i) { return give(i, llvm::Constant::getAllOnesValue(type(i[0]))); }
static Napi::Value undef(Info i) { return give(i, llvm::UndefValue::get(type(i[0]))); }
static Napi::Value poison(Info i) { return give(i, llvm::PoisonValue::get(type(i[0]))); }

static Napi::Value constGep(Info i) {
  auto indices = list<llvm::Constant *>(i[2], constant);
  return give(i, llvm::ConstantExpr::getInBoundsGetElementPtr(type(i[0]), constant(i[1]), indices));
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

// inlineAsm(functionType, text, constraints, sideEffects, alignStack)
static Napi::Value inlineAsm(Info i) {
  auto *t = llvm::dyn_cast<llvm::FunctionType>(type(i[0]));
  if (t == nullptr) refuse(i[0], "not a function type");
  auto constraints = text(i[2]);
  if (auto error = llvm::InlineAsm::verify(t, constraints)) refuse(i[2], llvm::toString(std::move(error)));
  return give(i, llvm::InlineAsm::get(t, text(i[1]), constraints, flag(i[3]), flag(i[4])));
}

void addConstants(Napi::Object &to) {
  add(to, "vectorType", vectorType);
  add(to, "pointerType", pointerType);
  add(to, "structType", structType);
  add(to, "constInt", constInt);
  add(to, "constFloat", constFloat);
  add(to, "constVector", constVector);
  add(to, "constArray", constArray);
  add(to, "constStruct", constStruct);
  add(to, "constData", constData);
  add(to, "constNull", constNull);
  add(to, "constOnes", constOnes);
  add(to, "undef", undef);
  add(to, "poison", poison);
  add(to, "constGep", constGep);
  add(to, "global", global);
  add(to, "inlineAsm", inlineAsm);
}

} // namespace tfc
