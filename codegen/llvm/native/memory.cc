// Operations on memory: aligned, volatile, marked and masked accesses, gathers, stack slots, addresses.
#include "tape.h"

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

const std::vector<Operation> memoryOperations = {
    {"load", load}, {"store", store}, {"maskedLoad", maskedLoad}, {"maskedStore", maskedStore}, {"gather", gather}, {"scatter", scatter},
    {"slot", slot}, {"gep", gep}, {"structGep", structGep},
};

} // namespace tfc
