// From a module to text: verifier, data layout, pass pipeline, code generation, the host's description, disposal.
// Holds: emission works on a clone, so the caller's module stays as it was; an error is thrown as text, never printed.
#include "target.h"
#include <llvm/Analysis/CGSCCPassManager.h>
#include <llvm/Analysis/LoopAnalysisManager.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <map>
#include <mutex>

extern "C" {
void LLVMInitializeNVPTXTargetInfo();
void LLVMInitializeNVPTXTarget();
void LLVMInitializeNVPTXTargetMC();
void LLVMInitializeNVPTXAsmPrinter();
}

namespace tfc {

static void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
}

static std::string field(const Napi::Object &o, const char *key) { return text(o.Get(key)); }

Description description(const Napi::Value &v) {
  initializeTargets();
  if (!v.IsObject()) refuse(v, "expected a target");
  auto o = v.As<Napi::Object>();
  auto level = llvm::CodeGenOpt::getLevel(static_cast<int>(number(o.Get("optLevel"))));
  if (!level) refuse(v, "no such optimisation level");
  return {field(o, "triple"), field(o, "cpu"), field(o, "features"), *level, flag(o.Get("loopPasses"))};
}

// It emits position-independent code.
std::unique_ptr<llvm::TargetMachine> Description::machine(std::string &error) const {
  auto *found = llvm::TargetRegistry::lookupTarget(triple, error);
  if (found == nullptr) return nullptr;
  std::unique_ptr<llvm::TargetMachine> made(found->createTargetMachine(triple, cpu, features, {}, llvm::Reloc::PIC_, std::nullopt, level));
  if (!made) error = "no code generator for " + triple;
  return made;
}

struct Machine {
  Description described;
  std::unique_ptr<llvm::TargetMachine> target;
};

static Machine machine(const Napi::Value &v) {
  Machine m{description(v), nullptr};
  std::string error;
  m.target = m.described.machine(error);
  if (!m.target) refuse(v, error);
  return m;
}

// Passes of the code generator are switched off by options of the process alone; they are set before every emission.
void setLoopPasses(bool on, const Napi::Value &at) {
  auto &options = llvm::cl::getRegisteredOptions();
  for (const char *name : {"disable-lsr", "disable-machine-licm"}) {
    auto found = options.find(name);
    if (found == options.end()) refuse(at, std::string("LLVM has no option ") + name);
    static_cast<llvm::cl::opt<bool> *>(found->second)->setValue(!on);
  }
}

static void complain(const llvm::DiagnosticInfo *info, void *into) {
  if (info->getSeverity() != llvm::DS_Error) return;
  llvm::raw_string_ostream os(*static_cast<std::string *>(into));
  llvm::DiagnosticPrinterRawOStream printer(os);
  info->print(printer);
  os << "\n";
}

Complaints::Complaints(llvm::LLVMContext &context) : c(context) { c.setDiagnosticHandlerCallBack(complain, &said); }
Complaints::~Complaints() { c.setDiagnosticHandlerCallBack(nullptr, nullptr); }

std::string faults(const llvm::Module &m) {
  std::string message;
  llvm::raw_string_ostream os(message);
  bool broken = llvm::verifyModule(m, &os);
  os.flush();
  return broken && message.empty() ? "the module is broken" : (broken ? message : "");
}

static Napi::Value verify(Info i) { return Napi::String::New(i.Env(), faults(*module(i[0]))); }

// Functions without a CPU of their own get the target's: otherwise the cost model falls back to the oldest of its kind.
void prepare(llvm::Module &m, llvm::TargetMachine &to, const Description &described) {
  m.setTargetTriple(to.getTargetTriple().str());
  m.setDataLayout(to.createDataLayout());
  for (auto &f : m) {
    if (f.isDeclaration()) continue;
    if (!described.cpu.empty() && !f.hasFnAttribute("target-cpu")) f.addFnAttr("target-cpu", described.cpu);
    if (!described.features.empty() && !f.hasFnAttribute("target-features")) f.addFnAttr("target-features", described.features);
  }
}

std::string runPasses(llvm::Module &m, llvm::TargetMachine &to, const std::string &passes, bool autovectorize) {
  if (passes.empty()) return "";
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopInterleaving = autovectorize;
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder pb(&to, tuning);
  pb.registerModuleAnalyses(modules);
  pb.registerCGSCCAnalyses(calls);
  pb.registerFunctionAnalyses(functions);
  pb.registerLoopAnalyses(loops);
  pb.crossRegisterProxies(loops, functions, calls, modules);
  llvm::ModulePassManager pipeline;
  if (auto error = pb.parsePassPipeline(pipeline, passes)) return llvm::toString(std::move(error));
  pipeline.run(m, modules);
  return "";
}

std::string generate(llvm::Module &m, llvm::TargetMachine &to, llvm::CodeGenFileType kind, Bytes &into) {
  llvm::raw_svector_ostream os(into);
  llvm::legacy::PassManager codegen;
  if (to.addPassesToEmitFile(codegen, os, nullptr, kind, true)) return "this target cannot emit that";
  codegen.run(m);
  return "";
}

// setTarget(module, target): triple, data layout and the functions' CPU.
static Napi::Value setTarget(Info i) {
  auto to = machine(i[1]);
  prepare(*module(i[0]), *to.target, to.described);
  return i.Env().Undefined();
}

// optimize(module, target, passes, autovectorize) → milliseconds
static Napi::Value optimize(Info i) {
  auto *m = module(i[0]);
  auto to = machine(i[1]);
  auto start = Clock::now();
  prepare(*m, *to.target, to.described);
  if (auto message = faults(*m); !message.empty()) refuse(i[0], message);
  Complaints complaints(m->getContext());
  if (auto error = runPasses(*m, *to.target, text(i[2]), flag(i[3])); !error.empty()) refuse(i[2], error);
  if (!complaints.said.empty()) refuse(i[0], complaints.said);
  return Napi::Number::New(i.Env(), since(start));
}

// emitAssembly(module, target, passes, autovectorize) → { assembly, verifyMs, optimizeMs, codegenMs }
static Napi::Value emitAssembly(Info i) {
  auto to = machine(i[1]);
  auto passes = text(i[2]);
  auto start = Clock::now();
  auto *original = module(i[0]);
  if (auto message = faults(*original); !message.empty()) refuse(i[0], message);
  auto m = llvm::CloneModule(*original);
  prepare(*m, *to.target, to.described);
  auto result = Napi::Object::New(i.Env());
  result.Set("verifyMs", since(start));
  Complaints complaints(m->getContext());
  start = Clock::now();
  if (auto error = runPasses(*m, *to.target, passes, flag(i[3])); !error.empty()) refuse(i[2], error);
  result.Set("optimizeMs", since(start));
  start = Clock::now();
  setLoopPasses(to.described.loopPasses, i[1]);
  Bytes bytes;
  if (auto error = generate(*m, *to.target, llvm::CodeGenFileType::AssemblyFile, bytes); !error.empty()) refuse(i[1], error);
  if (!complaints.said.empty()) refuse(i[0], complaints.said);
  result.Set("codegenMs", since(start));
  result.Set("assembly", Napi::String::New(i.Env(), bytes.data(), bytes.size()));
  return result;
}

static Napi::Value host(Info i) {
  initializeTargets();
  std::map<std::string, bool> sorted;
  for (auto &f : llvm::sys::getHostCPUFeatures()) sorted[f.getKey().str()] = f.getValue();
  std::string features;
  for (auto &[name, on] : sorted) features += (features.empty() ? "" : ",") + std::string(on ? "+" : "-") + name;
  auto o = Napi::Object::New(i.Env());
  o.Set("llvm", LLVM_VERSION_STRING);
  o.Set("triple", llvm::sys::getDefaultTargetTriple());
  o.Set("cpu", llvm::sys::getHostCPUName().str());
  o.Set("features", features);
  return o;
}

// featuresOf(target) → names of all that its processor has, as LLVM sees it
static Napi::Value featuresOf(Info i) {
  auto to = machine(i[0]);
  auto names = Napi::Array::New(i.Env());
  for (auto &feature : to.target->getMCSubtargetInfo()->getEnabledProcessorFeatures()) names.Set(names.Length(), feature.Key);
  return names;
}

// dispose(context, module): nothing of them may be used afterwards.
static Napi::Value dispose(Info i) {
  delete module(i[1]);
  delete &context(i[0]);
  return i.Env().Undefined();
}

void addTarget(Napi::Object &to) {
  add(to, "verify", verify);
  add(to, "setTarget", setTarget);
  add(to, "optimize", optimize);
  add(to, "emitAssembly", emitAssembly);
  add(to, "host", host);
  add(to, "featuresOf", featuresOf);
  add(to, "dispose", dispose);
}

} // namespace tfc
