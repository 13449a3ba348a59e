// Operations that compute, choose and branch. What an operation reads, in order, stands behind its name.
#include "tape.h"
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/MDBuilder.h>

namespace tfc {

using Builder = llvm::IRBuilderBase;
using Made = llvm::Value *;

// left, right; flags: 1 no unsigned wrap, 2 no signed wrap, where the instruction has them.
template <Made (Builder::*make)(Made, Made, const llvm::Twine &, bool, bool)> static Made wrapping(Reader &r, Builder &b) {
  auto *left = r.value();
  return (b.*make)(left, r.value(), "", r.flags & 1, r.flags & 2);
}

template <Made (Builder::*make)(Made, Made, const llvm::Twine &, bool)> static Made exact(Reader &r, Builder &b) {
  auto *left = r.value();
  return (b.*make)(left, r.value(), "", false);
}

template <llvm::Instruction::BinaryOps code> static Made binary(Reader &r, Builder &b) {
  auto *left = r.value();
  return b.CreateBinOp(code, left, r.value());
}

template <Made (Builder::*make)(Made, Made, const llvm::Twine &, llvm::MDNode *)> static Made floating(Reader &r, Builder &b) {
  auto *left = r.value();
  return (b.*make)(left, r.value(), "", nullptr);
}

// flags: LLVM's number of the predicate.
static Made compare(Reader &r, Builder &b) {
  auto *left = r.value();
  auto *right = r.value();
  if (r.flags > llvm::CmpInst::LAST_ICMP_PREDICATE) r.refuseTape();
  return b.CreateCmp(static_cast<llvm::CmpInst::Predicate>(r.flags), left, right);
}

// value, type
template <llvm::Instruction::CastOps code> static Made cast(Reader &r, Builder &b) {
  auto *v = r.value();
  return b.CreateCast(code, v, r.type());
}

static Made block(Reader &r, Builder &) {
  auto *f = r.function();
  r.tape.blocks.push_back(llvm::BasicBlock::Create(r.tape.context, r.text(), f));
  return nullptr;
}

static Made at(Reader &r, Builder &b) {
  b.SetInsertPoint(r.block());
  return nullptr;
}

static Made name(Reader &r, Builder &) {
  auto *v = r.value();
  v->setName(r.text());
  return nullptr;
}

static Made argument(Reader &r, Builder &) {
  auto *f = r.function();
  auto index = static_cast<uint32_t>(r.word());
  if (index >= f->arg_size()) r.refuseTape();
  return f->getArg(index);
}

// block, type: at the block's head, behind the phis that are there.
static Made phi(Reader &r, Builder &) {
  auto *block = r.block();
  llvm::IRBuilder<> head(block, block->getFirstNonPHIIt());
  return head.CreatePHI(r.type(), 2);
}

// phi, value, block
static Made incoming(Reader &r, Builder &) {
  auto *node = r.valueAs<llvm::PHINode>();
  auto *v = r.value();
  node->addIncoming(v, r.block());
  return nullptr;
}

static Made select(Reader &r, Builder &b) {
  auto *condition = r.value();
  auto *yes = r.value();
  return b.CreateSelect(condition, yes, r.value());
}

static Made insertElement(Reader &r, Builder &b) {
  auto *vector = r.value();
  auto *v = r.value();
  return b.CreateInsertElement(vector, v, r.value());
}

static Made extractElement(Reader &r, Builder &b) {
  auto *vector = r.value();
  return b.CreateExtractElement(vector, r.value());
}

static Made splat(Reader &r, Builder &b) {
  auto *v = r.value();
  return b.CreateVectorSplat(static_cast<unsigned>(r.word()), v);
}

// left, right, lanes
static Made shuffle(Reader &r, Builder &b) {
  auto *left = r.value();
  auto *right = r.value();
  return b.CreateShuffleVector(left, right, r.list<int>([&] { return r.word(); }));
}

static Made extractValue(Reader &r, Builder &b) {
  auto *aggregate = r.value();
  return b.CreateExtractValue(aggregate, r.numbers());
}

static Made insertValue(Reader &r, Builder &b) {
  auto *aggregate = r.value();
  auto *v = r.value();
  return b.CreateInsertValue(aggregate, v, r.numbers());
}

// type, callee, arguments; flags: the calling convention.
static Made call(Reader &r, Builder &b) {
  auto *t = r.typeAs<llvm::FunctionType>();
  auto *callee = r.value();
  auto all = r.values();
  if (all.size() < t->getNumParams()) r.refuseTape();
  auto *c = b.CreateCall(t, callee, all);
  c->setCallingConv(r.flags);
  return c;
}

// callee, arguments
static Made intrinsic(Reader &r, Builder &b) {
  auto *callee = r.function();
  return b.CreateCall(callee, r.values());
}

// type, text, constraints, arguments: inline assembly that does more than compute its results.
static Made assembly(Reader &r, Builder &b) {
  auto *t = r.typeAs<llvm::FunctionType>();
  auto text = r.text();
  auto constraints = r.text();
  auto all = r.values();
  if (auto wrong = llvm::InlineAsm::verify(t, constraints)) refuse(r.strings, "assembly: " + llvm::toString(std::move(wrong)));
  if (all.size() != t->getNumParams()) r.refuseTape();
  return b.CreateCall(t, llvm::InlineAsm::get(t, text, constraints, true), all);
}

static Made branch(Reader &r, Builder &b) { return b.CreateBr(r.block()); }

static Made conditionalBranch(Reader &r, Builder &b) {
  auto *condition = r.value();
  auto *yes = r.block();
  return b.CreateCondBr(condition, yes, r.block());
}

// value, otherwise, pairs of a constant and a block
static Made choose(Reader &r, Builder &b) {
  auto *v = r.value();
  auto *otherwise = r.block();
  auto count = r.word();
  auto *s = b.CreateSwitch(v, otherwise, static_cast<unsigned>(count));
  for (; count > 0; count--) {
    auto *c = r.valueAs<llvm::ConstantInt>();
    s->addCase(c, r.block());
  }
  return s;
}

static llvm::Instruction *terminator(Reader &r) {
  auto *i = r.valueAs<llvm::Instruction>();
  if (!i->isTerminator()) r.refuseTape();
  return i;
}

// terminator, triples of a name, a kind (0 none, 1 number, 2 boolean) and a value
static Made loopHints(Reader &r, Builder &) {
  auto *at = terminator(r);
  auto &c = r.tape.context;
  std::vector<llvm::Metadata *> all{nullptr};
  for (auto count = r.word(); count > 0; count--) {
    std::vector<llvm::Metadata *> one{llvm::MDString::get(c, r.text())};
    auto kind = r.word();
    auto content = static_cast<uint32_t>(r.word());
    auto *t = kind == 1 ? llvm::Type::getInt32Ty(c) : llvm::Type::getInt1Ty(c);
    if (kind != 0) one.push_back(llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(t, content)));
    all.push_back(llvm::MDNode::get(c, one));
  }
  auto *loop = llvm::MDNode::getDistinct(c, all);
  loop->replaceOperandWith(0, loop);
  at->setMetadata(llvm::LLVMContext::MD_loop, loop);
  return nullptr;
}

static Made branchWeights(Reader &r, Builder &) {
  auto *at = terminator(r);
  at->setMetadata(llvm::LLVMContext::MD_prof, llvm::MDBuilder(r.tape.context).createBranchWeights(r.list<uint32_t>([&] { return static_cast<uint32_t>(r.word()); })));
  return nullptr;
}

#define TFC_CAST(code) {#code, cast<llvm::Instruction::code>}

const std::vector<Operation> instructionOperations = {
    {"block", block}, {"at", at}, {"name", name}, {"argument", argument}, {"phi", phi}, {"incoming", incoming},
    {"add", wrapping<&Builder::CreateAdd>}, {"sub", wrapping<&Builder::CreateSub>}, {"mul", wrapping<&Builder::CreateMul>}, {"shl", wrapping<&Builder::CreateShl>},
    {"sdiv", exact<&Builder::CreateSDiv>}, {"udiv", exact<&Builder::CreateUDiv>}, {"lshr", exact<&Builder::CreateLShr>}, {"ashr", exact<&Builder::CreateAShr>},
    {"srem", binary<llvm::Instruction::SRem>}, {"urem", binary<llvm::Instruction::URem>},
    {"and", binary<llvm::Instruction::And>}, {"or", binary<llvm::Instruction::Or>}, {"xor", binary<llvm::Instruction::Xor>},
    {"fadd", floating<&Builder::CreateFAdd>}, {"fsub", floating<&Builder::CreateFSub>}, {"fmul", floating<&Builder::CreateFMul>},
    {"fdiv", floating<&Builder::CreateFDiv>}, {"frem", floating<&Builder::CreateFRem>},
    {"neg", [](Reader &r, Builder &b) -> Made { return b.CreateNeg(r.value()); }},
    {"not", [](Reader &r, Builder &b) -> Made { return b.CreateNot(r.value()); }},
    {"fneg", [](Reader &r, Builder &b) -> Made { return b.CreateFNeg(r.value()); }},
    {"freeze", [](Reader &r, Builder &b) -> Made { return b.CreateFreeze(r.value()); }},
    {"compare", compare}, {"select", select},
    TFC_CAST(SExt), TFC_CAST(ZExt), TFC_CAST(Trunc), TFC_CAST(FPExt), TFC_CAST(FPTrunc), TFC_CAST(SIToFP), TFC_CAST(UIToFP), TFC_CAST(FPToSI), TFC_CAST(FPToUI),
    TFC_CAST(BitCast), TFC_CAST(PtrToInt), TFC_CAST(IntToPtr), TFC_CAST(AddrSpaceCast),
    {"splat", splat}, {"insertElement", insertElement}, {"extractElement", extractElement}, {"shuffle", shuffle},
    {"extractValue", extractValue}, {"insertValue", insertValue}, {"call", call}, {"intrinsic", intrinsic}, {"assembly", assembly},
    {"branch", branch}, {"conditionalBranch", conditionalBranch}, {"switch", choose},
    {"return", [](Reader &r, Builder &b) -> Made { return b.CreateRet(r.value()); }},
    {"returnVoid", [](Reader &, Builder &b) -> Made { return b.CreateRetVoid(); }},
    {"unreachable", [](Reader &, Builder &b) -> Made { return b.CreateUnreachable(); }},
    {"loopHints", loopHints}, {"branchWeights", branchWeights},
};

} // namespace tfc
