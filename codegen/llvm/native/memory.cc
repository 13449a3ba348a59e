// Memory: aligned, volatile, non-temporal and masked accesses, gathers, atomics, stack slots, alias scopes.
#include "support.h"
#include <llvm/IR/MDBuilder.h>

namespace tfc {

static llvm::Align naturalOr(llvm::IRBuilder<> &b, llvm::MaybeAlign asked, llvm::Type *t) {
  return asked ? *asked : b.GetInsertBlock()->getModule()->getDataLayout().getABITypeAlign(t);
}

// load(builder, type, pointer, alignment, volatile)
static Napi::Value load(Info i) { return give(i, builder(i[0]).CreateAlignedLoad(type(i[1]), value(i[2]), alignment(i[3]), flag(i[4]))); }

// store(builder, value, pointer, alignment, volatile)
static Napi::Value store(Info i) { return give(i, builder(i[0]).CreateAlignedStore(value(i[1]), value(i[2]), alignment(i[3]), flag(i[4]))); }

// mark(instruction, name): metadata without content: "invariant.load"; "nontemporal" carries its one.
static Napi::Value mark(Info i) {
  auto *at = instruction(i[0]);
  auto &c = at->getContext();
  auto name = text(i[1]);
  auto *one = llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(llvm::Type::getInt32Ty(c), 1));
  at->setMetadata(name, name == "nontemporal" ? llvm::MDNode::get(c, one) : llvm::MDNode::get(c, {}));
  return i.Env().Undefined();
}

// maskedLoad(builder, type, pointer, alignment, mask, passThrough)
static Napi::Value maskedLoad(Info i) {
  auto &b = builder(i[0]);
  auto *t = type(i[1]);
  return give(i, b.CreateMaskedLoad(t, value(i[2]), naturalOr(b, alignment(i[3]), t->getScalarType()), value(i[4]), value(i[5])));
}

// maskedStore(builder, value, pointer, alignment, mask)
static Napi::Value maskedStore(Info i) {
  auto &b = builder(i[0]);
  auto *v = value(i[1]);
  return give(i, b.CreateMaskedStore(v, value(i[2]), naturalOr(b, alignment(i[3]), v->getType()->getScalarType()), value(i[4])));
}

// gather(builder, type, pointers, alignment, mask, passThrough)
static Napi::Value gather(Info i) {
  auto &b = builder(i[0]);
  auto *t = type(i[1]);
  return give(i, b.CreateMaskedGather(t, value(i[2]), naturalOr(b, alignment(i[3]), t->getScalarType()), value(i[4]), value(i[5])));
}

// scatter(builder, value, pointers, alignment, mask)
static Napi::Value scatter(Info i) {
  auto &b = builder(i[0]);
  auto *v = value(i[1]);
  return give(i, b.CreateMaskedScatter(v, value(i[2]), naturalOr(b, alignment(i[3]), v->getType()->getScalarType()), value(i[4])));
}

// slot(function, type, count, alignment): memory on the stack, reserved once at the function's entry.
static Napi::Value slot(Info i) {
  auto *f = function(i[0]);
  if (f->empty()) refuse(i[0], "the function has no entry block yet");
  auto &entry = f->getEntryBlock();
  llvm::IRBuilder<> b(&entry, entry.begin());
  auto *a = b.CreateAlloca(type(i[1]), llvm::ConstantInt::get(b.getInt64Ty(), number(i[2])));
  if (auto align = alignment(i[3])) a->setAlignment(*align);
  return give(i, a);
}

static Napi::Value structGep(Info i) { return give(i, builder(i[0]).CreateStructGEP(type(i[1]), value(i[2]), number(i[3]))); }

static llvm::AtomicOrdering ordering(const Napi::Value &v) {
  auto name = text(v);
  if (name == "relaxed") return llvm::AtomicOrdering::Monotonic;
  if (name == "acquire") return llvm::AtomicOrdering::Acquire;
  if (name == "release") return llvm::AtomicOrdering::Release;
  if (name == "acq-rel") return llvm::AtomicOrdering::AcquireRelease;
  if (name == "seq-cst") return llvm::AtomicOrdering::SequentiallyConsistent;
  refuse(v, "no such ordering: " + name);
}

// atomicLoad(builder, type, pointer, alignment, ordering)
static Napi::Value atomicLoad(Info i) {
  auto &b = builder(i[0]);
  auto *t = type(i[1]);
  auto *l = b.CreateAlignedLoad(t, value(i[2]), naturalOr(b, alignment(i[3]), t));
  l->setAtomic(ordering(i[4]));
  return give(i, l);
}

// atomicStore(builder, value, pointer, alignment, ordering)
static Napi::Value atomicStore(Info i) {
  auto &b = builder(i[0]);
  auto *v = value(i[1]);
  auto *s = b.CreateAlignedStore(v, value(i[2]), naturalOr(b, alignment(i[3]), v->getType()));
  s->setAtomic(ordering(i[4]));
  return give(i, s);
}

static const struct { const char *name; llvm::AtomicRMWInst::BinOp op; } updates[] = {
    {"xchg", llvm::AtomicRMWInst::Xchg}, {"add", llvm::AtomicRMWInst::Add},   {"sub", llvm::AtomicRMWInst::Sub},   {"and", llvm::AtomicRMWInst::And},
    {"or", llvm::AtomicRMWInst::Or},     {"xor", llvm::AtomicRMWInst::Xor},   {"max", llvm::AtomicRMWInst::Max},   {"min", llvm::AtomicRMWInst::Min},
    {"umax", llvm::AtomicRMWInst::UMax}, {"umin", llvm::AtomicRMWInst::UMin}, {"fadd", llvm::AtomicRMWInst::FAdd}, {"fsub", llvm::AtomicRMWInst::FSub},
    {"fmax", llvm::AtomicRMWInst::FMax}, {"fmin", llvm::AtomicRMWInst::FMin},
};

// atomicRmw(builder, op, pointer, value, ordering)
static Napi::Value atomicRmw(Info i) {
  auto name = text(i[1]);
  for (auto &u : updates)
    if (name == u.name) return give(i, builder(i[0]).CreateAtomicRMW(u.op, value(i[2]), value(i[3]), llvm::MaybeAlign(), ordering(i[4])));
  refuse(i[1], "no such update: " + name);
}

// compareExchange(builder, pointer, expected, desired, onSuccess, onFailure)
static Napi::Value compareExchange(Info i) {
  return give(i, builder(i[0]).CreateAtomicCmpXchg(value(i[1]), value(i[2]), value(i[3]), llvm::MaybeAlign(), ordering(i[4]), ordering(i[5])));
}

static Napi::Value fence(Info i) { return give(i, builder(i[0]).CreateFence(ordering(i[1]))); }

static Napi::Value wrapNode(Info i, llvm::MDNode *node) { return Napi::External<llvm::MDNode>::New(i.Env(), node); }

static llvm::MDNode *node(const Napi::Value &v) {
  if (!v.IsExternal()) refuse(v, "expected metadata");
  return v.As<Napi::External<llvm::MDNode>>().Data();
}

static Napi::Value aliasDomain(Info i) { return wrapNode(i, llvm::MDBuilder(context(i[0])).createAnonymousAliasScopeDomain(text(i[1]))); }
static Napi::Value aliasScope(Info i) { return wrapNode(i, llvm::MDBuilder(context(i[0])).createAnonymousAliasScope(node(i[1]), text(i[2]))); }

// setAlias(instruction, scopes, noalias): the access belongs to `scopes` and overlaps none of `noalias`.
static Napi::Value setAlias(Info i) {
  auto *at = instruction(i[0]);
  auto attach = [&](unsigned kind, const Napi::Value &v) {
    auto nodes = list<llvm::Metadata *>(v, node);
    if (!nodes.empty()) at->setMetadata(kind, llvm::MDNode::get(at->getContext(), nodes));
  };
  attach(llvm::LLVMContext::MD_alias_scope, i[1]);
  attach(llvm::LLVMContext::MD_noalias, i[2]);
  return i.Env().Undefined();
}

void addMemory(Napi::Object &to) {
  add(to, "load", load);
  add(to, "store", store);
  add(to, "mark", mark);
  add(to, "maskedLoad", maskedLoad);
  add(to, "maskedStore", maskedStore);
  add(to, "gather", gather);
  add(to, "scatter", scatter);
  add(to, "slot", slot);
  add(to, "structGep", structGep);
  add(to, "atomicLoad", atomicLoad);
  add(to, "atomicStore", atomicStore);
  add(to, "atomicRmw", atomicRmw);
  add(to, "compareExchange", compareExchange);
  add(to, "fence", fence);
  add(to, "aliasDomain", aliasDomain);
  add(to, "aliasScope", aliasScope);
  add(to, "setAlias", setAlias);
}

} // namespace tfc
