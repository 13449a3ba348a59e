// Attributes of functions and parameters, calling conventions, visibility, annotations.
#include "support.h"

namespace tfc {

static llvm::Attribute attribute(llvm::LLVMContext &c, const Napi::Value &name, const Napi::Value &content) {
  auto key = text(name);
  auto kind = llvm::Attribute::getAttrKindFromName(key);
  if (content.IsString()) return llvm::Attribute::get(c, key, text(content));
  if (kind == llvm::Attribute::None) refuse(name, "no attribute is called " + key);
  if (content.IsNumber() && llvm::Attribute::isIntAttrKind(kind)) return llvm::Attribute::get(c, kind, content.As<Napi::Number>().Int64Value());
  if (content.IsUndefined() && llvm::Attribute::isEnumAttrKind(kind)) return llvm::Attribute::get(c, kind);
  refuse(name, "the attribute " + key + " does not take that value");
}

// functionAttribute(function, name, value?): a string value makes a target attribute ("target-cpu").
static Napi::Value functionAttribute(Info i) {
  auto *f = function(i[0]);
  auto a = attribute(f->getContext(), i[1], i[2]);
  if (!a.isStringAttribute() && !llvm::Attribute::canUseAsFnAttr(a.getKindAsEnum())) refuse(i[1], "not an attribute of functions");
  f->addFnAttr(a);
  return i.Env().Undefined();
}

// parameterAttribute(function, index, name, value?)
static Napi::Value parameterAttribute(Info i) {
  auto *f = function(i[0]);
  auto index = number(i[1]);
  if (index >= f->arg_size()) refuse(i[1], "no such parameter");
  auto a = attribute(f->getContext(), i[2], i[3]);
  if (!a.isStringAttribute() && !llvm::Attribute::canUseAsParamAttr(a.getKindAsEnum())) refuse(i[2], "not an attribute of parameters");
  f->addParamAttr(index, a);
  return i.Env().Undefined();
}

// memoryEffects(function, "none" | "read" | "arguments" | "arguments-read")
static Napi::Value memoryEffects(Info i) {
  auto *f = function(i[0]);
  auto kind = text(i[1]);
  if (kind == "none") f->setDoesNotAccessMemory();
  else if (kind == "read") f->setOnlyReadsMemory();
  else if (kind == "arguments") f->setOnlyAccessesArgMemory();
  else if (kind == "arguments-read") f->setMemoryEffects(llvm::MemoryEffects::argMemOnly(llvm::ModRefInfo::Ref));
  else refuse(i[1], "no such memory effect: " + kind);
  return i.Env().Undefined();
}

static const struct { const char *name; unsigned id; } conventions[] = {
    {"c", llvm::CallingConv::C}, {"fast", llvm::CallingConv::Fast}, {"ptx-kernel", llvm::CallingConv::PTX_Kernel}, {"ptx-device", llvm::CallingConv::PTX_Device}};

static unsigned convention(const Napi::Value &v) {
  auto name = text(v);
  for (auto &c : conventions)
    if (name == c.name) return c.id;
  refuse(v, "no such calling convention: " + name);
}

// createFunction(module, type, linkage, name, callingConvention)
static Napi::Value createFunction(Info i) {
  auto *t = llvm::dyn_cast<llvm::FunctionType>(type(i[1]));
  if (t == nullptr) refuse(i[1], "not a function type");
  auto *f = llvm::Function::Create(t, static_cast<llvm::GlobalValue::LinkageTypes>(number(i[2])), text(i[3]), *module(i[0]));
  f->setCallingConv(convention(i[4]));
  return Function::New(i.Env(), f);
}

static Napi::Value conventionId(Info i) { return Napi::Number::New(i.Env(), convention(i[0])); }

// setVisibility(global, "default" | "hidden" | "protected")
static Napi::Value setVisibility(Info i) {
  auto *g = as<llvm::GlobalValue>(i[0], "a global");
  auto name = text(i[1]);
  if (name == "default") g->setVisibility(llvm::GlobalValue::DefaultVisibility);
  else if (name == "hidden") g->setVisibility(llvm::GlobalValue::HiddenVisibility);
  else if (name == "protected") g->setVisibility(llvm::GlobalValue::ProtectedVisibility);
  else refuse(i[1], "no such visibility: " + name);
  return i.Env().Undefined();
}

static Napi::Value setUnnamedAddress(Info i) {
  as<llvm::GlobalValue>(i[0], "a global")->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  return i.Env().Undefined();
}

// functionAnnotation(module, function, key, number): an entry of !nvvm.annotations ("maxntidx").
static Napi::Value functionAnnotation(Info i) {
  auto *m = module(i[0]);
  auto &c = m->getContext();
  auto *content = llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(llvm::Type::getInt32Ty(c), number(i[3])));
  llvm::Metadata *entry[] = {llvm::ValueAsMetadata::get(function(i[1])), llvm::MDString::get(c, text(i[2])), content};
  m->getOrInsertNamedMetadata("nvvm.annotations")->addOperand(llvm::MDNode::get(c, entry));
  return i.Env().Undefined();
}

void addAttributes(Napi::Object &to) {
  add(to, "functionAttribute", functionAttribute);
  add(to, "parameterAttribute", parameterAttribute);
  add(to, "memoryEffects", memoryEffects);
  add(to, "createFunction", createFunction);
  add(to, "conventionId", conventionId);
  add(to, "setVisibility", setVisibility);
  add(to, "setUnnamedAddress", setUnnamedAddress);
  add(to, "functionAnnotation", functionAnnotation);
}

} // namespace tfc
