// Operations on memory: aligned, volatile, marked and masked accesses, gathers, atomics, stack slots, addresses, alias scopes.
#include "tape.h"
#include <llvm/IR/MDBuilder.h>

namespace tfc {

using Builder = llvm::IRBuilderBase;
using Made = llvm::Value *;

// Of accesses, as flags.
enum : uint32_t { isVolatile = 1, isNontemporal = 2, isInvariant = 4 };

static Made marked(Reader &r, llvm::Instruction *access) {
  auto &c = r.tape.context;
  auto *one = llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(llvm::Type::getInt32Ty(c), 1));
  if (r.flags & isInvariant) access->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(c, {}));
  if (r.flags & isNontemporal) access->setMetadata(llvm::LLVMContext::MD_nontemporal, llvm::MDNode::get(c, one));
  return access;
}

// type, pointer, alignment
static Made load(Reader &r, Builder &b) {
  auto *t = r.type();
  auto *pointer = r.value();
  return marked(r, b.CreateAlignedLoad(t, pointer, r.alignment(), r.flags & isVolatile));
}

// value, pointer, alignment
static Made store(Reader &r, Builder &b) {
  auto *v = r.value();
  auto *pointer = r.value();
  return marked(r, b.CreateAlignedStore(v, pointer, r.alignment(), r.flags & isVolatile));
}

// type, pointer, alignment, mask, value of the other lanes
static Made maskedLoad(Reader &r, Builder &b) {
  auto *t = r.type();
  auto *pointer = r.value();
  auto align = r.alignmentOr(t->getScalarType());
  auto *mask = r.value();
  return marked(r, b.CreateMaskedLoad(t, pointer, align, mask, r.value()));
}

// value, pointer, alignment, mask
static Made maskedStore(Reader &r, Builder &b) {
  auto *v = r.value();
  auto *pointer = r.value();
  auto align = r.alignmentOr(v->getType()->getScalarType());
  return marked(r, b.CreateMaskedStore(v, pointer, align, r.value()));
}

// type, pointers, alignment, mask, value of the other lanes
static Made gather(Reader &r, Builder &b) {
  auto *t = r.type();
  auto *pointers = r.value();
  auto align = r.alignmentOr(t->getScalarType());
  auto *mask = r.value();
  return marked(r, b.CreateMaskedGather(t, pointers, align, mask, r.value()));
}

// value, pointers, alignment, mask
static Made scatter(Reader &r, Builder &b) {
  auto *v = r.value();
  auto *pointers = r.value();
  auto align = r.alignmentOr(v->getType()->getScalarType());
  return marked(r, b.CreateMaskedScatter(v, pointers, align, r.value()));
}

// function, type, count, alignment: memory on the stack, reserved once at the function's entry.
static Made slot(Reader &r, Builder &) {
  auto *f = r.function();
  if (f->empty()) r.refuseTape();
  auto &entry = f->getEntryBlock();
  llvm::IRBuilder<> head(&entry, entry.begin());
  auto *t = r.type();
  auto *a = head.CreateAlloca(t, llvm::ConstantInt::get(head.getInt64Ty(), static_cast<uint32_t>(r.word())));
  if (auto align = r.alignment()) a->setAlignment(*align);
  return a;
}

// type, pointer, indices; flags: whether the address stays within its object.
static Made gep(Reader &r, Builder &b) {
  auto *t = r.type();
  auto *pointer = r.value();
  auto indices = r.values();
  return r.flags ? b.CreateInBoundsGEP(t, pointer, indices) : b.CreateGEP(t, pointer, indices);
}

// type, pointer, field
static Made structGep(Reader &r, Builder &b) {
  auto *t = r.type();
  auto *pointer = r.value();
  return b.CreateStructGEP(t, pointer, static_cast<unsigned>(r.word()));
}

static llvm::AtomicOrdering ordering(Reader &r) {
  static const llvm::AtomicOrdering all[] = {llvm::AtomicOrdering::Monotonic, llvm::AtomicOrdering::Acquire, llvm::AtomicOrdering::Release,
                                             llvm::AtomicOrdering::AcquireRelease, llvm::AtomicOrdering::SequentiallyConsistent};
  auto at = static_cast<uint32_t>(r.word());
  if (at >= std::size(all)) r.refuseTape();
  return all[at];
}

// type, pointer, alignment, ordering
static Made atomicLoad(Reader &r, Builder &b) {
  auto *t = r.type();
  auto *pointer = r.value();
  auto *l = b.CreateAlignedLoad(t, pointer, r.alignmentOr(t));
  l->setAtomic(ordering(r));
  return l;
}

// value, pointer, alignment, ordering
static Made atomicStore(Reader &r, Builder &b) {
  auto *v = r.value();
  auto *pointer = r.value();
  auto *s = b.CreateAlignedStore(v, pointer, r.alignmentOr(v->getType()));
  s->setAtomic(ordering(r));
  return s;
}

static const llvm::AtomicRMWInst::BinOp updates[] = {
    llvm::AtomicRMWInst::Xchg, llvm::AtomicRMWInst::Add, llvm::AtomicRMWInst::Sub, llvm::AtomicRMWInst::And, llvm::AtomicRMWInst::Or, llvm::AtomicRMWInst::Xor, llvm::AtomicRMWInst::Max,
    llvm::AtomicRMWInst::Min, llvm::AtomicRMWInst::UMax, llvm::AtomicRMWInst::UMin, llvm::AtomicRMWInst::FAdd, llvm::AtomicRMWInst::FSub, llvm::AtomicRMWInst::FMax, llvm::AtomicRMWInst::FMin};

// pointer, value, ordering; flags: the update, by its place among xchg, add, sub, and, or, xor, max, min, umax, umin, fadd, fsub, fmax, fmin.
static Made atomicUpdate(Reader &r, Builder &b) {
  if (r.flags >= std::size(updates)) r.refuseTape();
  auto *pointer = r.value();
  auto *v = r.value();
  return b.CreateAtomicRMW(updates[r.flags], pointer, v, llvm::MaybeAlign(), ordering(r));
}

// pointer, expected, desired, ordering on success, on failure
static Made compareExchange(Reader &r, Builder &b) {
  auto *pointer = r.value();
  auto *expected = r.value();
  auto *desired = r.value();
  auto success = ordering(r);
  return b.CreateAtomicCmpXchg(pointer, expected, desired, llvm::MaybeAlign(), success, ordering(r));
}

static Made fence(Reader &r, Builder &b) { return b.CreateFence(ordering(r)); }

// access, scopes that it belongs to, scopes of which it overlaps nothing
static Made alias(Reader &r, Builder &) {
  auto *access = r.valueAs<llvm::Instruction>();
  for (unsigned kind : {llvm::LLVMContext::MD_alias_scope, llvm::LLVMContext::MD_noalias}) {
    auto nodes = r.list<llvm::Metadata *>([&] { return r.scope(); });
    if (!nodes.empty()) access->setMetadata(kind, llvm::MDNode::get(r.tape.context, nodes));
  }
  return nullptr;
}

const std::vector<Operation> memoryOperations = {
    {"load", load}, {"store", store}, {"maskedLoad", maskedLoad}, {"maskedStore", maskedStore}, {"gather", gather}, {"scatter", scatter},
    {"slot", slot}, {"gep", gep}, {"structGep", structGep}, {"atomicLoad", atomicLoad}, {"atomicStore", atomicStore}, {"atomicUpdate", atomicUpdate},
    {"compareExchange", compareExchange}, {"fence", fence}, {"alias", alias},
};

static Napi::Value wrapNode(Info i, llvm::MDNode *node) { return Napi::External<llvm::MDNode>::New(i.Env(), node); }

static llvm::MDNode *node(const Napi::Value &v) {
  if (!v.IsExternal()) refuse(v, "expected metadata");
  return v.As<Napi::External<llvm::MDNode>>().Data();
}

static Napi::Value aliasDomain(Info i) { return wrapNode(i, llvm::MDBuilder(context(i[0])).createAnonymousAliasScopeDomain(text(i[1]))); }
static Napi::Value aliasScope(Info i) { return wrapNode(i, llvm::MDBuilder(context(i[0])).createAnonymousAliasScope(node(i[1]), text(i[2]))); }

void addMemory(Napi::Object &to) {
  add(to, "aliasDomain", aliasDomain);
  add(to, "aliasScope", aliasScope);
}

} // namespace tfc
