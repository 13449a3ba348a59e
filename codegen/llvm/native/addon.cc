// The addon's door: llvm-bindings' classes, and beside them under `tfc` what they lack, on the same objects.
#include "support.h"
#include "ADT/index.h"
#include "BinaryFormat/index.h"
#include "Bitcode/index.h"
#include "Config/index.h"
#include "IRReader/index.h"
#include "Linker/index.h"
#include "MC/index.h"
#include "Support/index.h"
#include "Target/index.h"

static Napi::Object load(Napi::Env env, Napi::Object exports) {
  InitADT(env, exports);
  InitBinaryFormat(env, exports);
  InitBitCode(env, exports);
  InitConfig(env, exports);
  InitIR(env, exports);
  InitIRReader(env, exports);
  InitLinker(env, exports);
  InitMC(env, exports);
  InitSupport(env, exports);
  InitTarget(env, exports);
  auto own = Napi::Object::New(env);
  tfc::addConstants(own);
  tfc::addAttributes(own);
  tfc::addTape(own);
  tfc::addTarget(own);
  tfc::addParts(own);
  tfc::addLinker(own);
  exports.Set("tfc", own);
  return exports;
}

NODE_API_MODULE(tfc_llvm, load)
