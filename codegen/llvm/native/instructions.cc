// Instructions that llvm-bindings lacks or cannot mark: vector lanes, predicates, intrinsics, fast-math and wrap flags.
#include "support.h"
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Operator.h>

namespace tfc {

// setFastMath(builder, bits): reassoc 1, nnan 2, ninf 4, nsz 8, arcp 16, contract 32, afn 64.
static Napi::Value setFastMath(Info i) {
  uint32_t on = number(i[1]);
  llvm::FastMathFlags f;
  f.setAllowReassoc(on & 1);
  f.setNoNaNs(on & 2);
  f.setNoInfs(on & 4);
  f.setNoSignedZeros(on & 8);
  f.setAllowReciprocal(on & 16);
  f.setAllowContract(on & 32);
  f.setApproxFunc(on & 64);
  builder(i[0]).setFastMathFlags(f);
  return i.Env().Undefined();
}

// setWrap(value, nuw, nsw): does nothing where folding left a constant.
static Napi::Value setWrap(Info i) {
  auto *op = llvm::dyn_cast<llvm::Instruction>(value(i[0]));
  if (op != nullptr && llvm::isa<llvm::OverflowingBinaryOperator>(op)) {
    op->setHasNoUnsignedWrap(flag(i[1]));
    op->setHasNoSignedWrap(flag(i[2]));
  }
  return i.Env().Undefined();
}

static Napi::Value setName(Info i) {
  value(i[0])->setName(text(i[1]));
  return i.Env().Undefined();
}

static Napi::Value splat(Info i) { return give(i, builder(i[0]).CreateVectorSplat(number(i[1]), value(i[2]))); }
static Napi::Value insertElement(Info i) { return give(i, builder(i[0]).CreateInsertElement(value(i[1]), value(i[2]), value(i[3]))); }
static Napi::Value extractElement(Info i) { return give(i, builder(i[0]).CreateExtractElement(value(i[1]), value(i[2]))); }

static Napi::Value shuffle(Info i) {
  auto mask = list<int>(i[3], [](const Napi::Value &v) { return static_cast<int>(number(v)); });
  return give(i, builder(i[0]).CreateShuffleVector(value(i[1]), value(i[2]), mask));
}

// phi(block, type): at the block's head, behind the phis that are there.
static Napi::Value phi(Info i) {
  auto *block = extract<BasicBlock>(i[0], "a block");
  llvm::IRBuilder<> b(block, block->getFirstNonPHIIt());
  return PHINode::New(i.Env(), b.CreatePHI(type(i[1]), 2));
}

static Napi::Value freeze(Info i) { return give(i, builder(i[0]).CreateFreeze(value(i[1]))); }

static const struct { const char *name; llvm::CmpInst::Predicate predicate; } predicates[] = {
    {"oeq", llvm::CmpInst::FCMP_OEQ}, {"ogt", llvm::CmpInst::FCMP_OGT}, {"oge", llvm::CmpInst::FCMP_OGE}, {"olt", llvm::CmpInst::FCMP_OLT},
    {"ole", llvm::CmpInst::FCMP_OLE}, {"one", llvm::CmpInst::FCMP_ONE}, {"ord", llvm::CmpInst::FCMP_ORD}, {"uno", llvm::CmpInst::FCMP_UNO},
    {"ueq", llvm::CmpInst::FCMP_UEQ}, {"ugt", llvm::CmpInst::FCMP_UGT}, {"uge", llvm::CmpInst::FCMP_UGE}, {"ult", llvm::CmpInst::FCMP_ULT},
    {"ule", llvm::CmpInst::FCMP_ULE}, {"une", llvm::CmpInst::FCMP_UNE},
};

static Napi::Value fcmp(Info i) {
  auto name = text(i[1]);
  for (auto &p : predicates)
    if (name == p.name) return give(i, builder(i[0]).CreateFCmp(p.predicate, value(i[2]), value(i[3])));
  refuse(i[1], "no such predicate: " + name);
}

// intrinsic(builder, module, name, resultType, args): the overload follows from the types; a signature it does not have is refused.
static Napi::Value intrinsic(Info i) {
  auto name = text(i[2]);
  auto id = llvm::Function::lookupIntrinsicID(name);
  if (id == llvm::Intrinsic::not_intrinsic) refuse(i[2], "no intrinsic is called " + name);
  auto args = list<llvm::Value *>(i[4], value);
  std::vector<llvm::Type *> params;
  for (auto *a : args) params.push_back(a->getType());
  auto *signature = llvm::FunctionType::get(type(i[3]), params, false);
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
    refuse(i[3], name + " has no signature " + os.str());
  }
  auto *callee = llvm::Intrinsic::getDeclaration(module(i[1]), id, overloads);
  for (unsigned k = 0; k < args.size(); k++)
    if (callee->hasParamAttribute(k, llvm::Attribute::ImmArg) && !llvm::isa<llvm::ConstantInt>(args[k]) && !llvm::isa<llvm::ConstantFP>(args[k]))
      refuse(i[4], name + " wants a constant as argument " + std::to_string(k));
  return give(i, builder(i[0]).CreateCall(callee, args));
}

// call(builder, functionType, callee, args, callingConvention)
static Napi::Value call(Info i) {
  auto *t = llvm::dyn_cast<llvm::FunctionType>(type(i[1]));
  if (t == nullptr) refuse(i[1], "not a function type");
  auto args = list<llvm::Value *>(i[3], value);
  if (args.size() < t->getNumParams()) refuse(i[3], "too few arguments");
  auto *c = builder(i[0]).CreateCall(t, value(i[2]), args);
  c->setCallingConv(number(i[4]));
  return give(i, c);
}

void addInstructions(Napi::Object &to) {
  add(to, "setFastMath", setFastMath);
  add(to, "setWrap", setWrap);
  add(to, "setName", setName);
  add(to, "splat", splat);
  add(to, "insertElement", insertElement);
  add(to, "extractElement", extractElement);
  add(to, "shuffle", shuffle);
  add(to, "phi", phi);
  add(to, "freeze", freeze);
  add(to, "fcmp", fcmp);
  add(to, "intrinsic", intrinsic);
  add(to, "call", call);
}

} // namespace tfc
