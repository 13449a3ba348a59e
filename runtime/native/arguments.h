// Arguments and results of calls from JavaScript. In: what Node hands over. Out: handles, integers, memory of typed arrays; or a pending exception with a code. Holds: nothing is read from a value that
// is not of its kind, and every handle frees what it owns when it is closed or collected.
#ifndef TFC_ARGUMENTS_H
#define TFC_ARGUMENTS_H

#ifndef NAPI_VERSION
#define NAPI_VERSION 9
#endif
#include <node_api.h>

#include <cstdint>
#include <new>

extern "C" {
#include "module.h"
#include "step.h"
}

namespace {

enum class Kind : uint64_t { module = 0x7466632d6d6f6455, session = 0x7466632d53657373, step = 0x7466632d53746570 };

// What an external value points to. `target` is null once it was closed.
struct Handle {
  Kind kind;
  void *target;
};

void release(Handle *handle) {
  void *target = handle->target;
  handle->target = nullptr;
  if (target == nullptr) return;
  switch (handle->kind) {
    case Kind::module:
      tfc_loaded_release(static_cast<tfc_loaded *>(target));
      return;
    case Kind::session:
      tfc_session_close(static_cast<tfc_session *>(target));
      tfc_session_release(static_cast<tfc_session *>(target));
      return;
    case Kind::step:
      tfc_step_destroy(static_cast<tfc_step *>(target));
      return;
  }
}

void finalize(napi_env, void *data, void *) {
  auto *handle = static_cast<Handle *>(data);
  release(handle);
  delete handle;
}

void fail(napi_env env, const char *code, const char *text) { napi_throw_error(env, code, text); }
void fail(napi_env env, const tfc_error &error) { fail(env, error.code, error.text); }

// The arguments of one call; `good` is false when an exception is pending.
template <size_t Count>
struct Arguments {
  napi_env env;
  napi_value values[Count];
  bool good;

  Arguments(napi_env env, napi_callback_info info) : env(env), good(true) {
    size_t count = Count;
    if (napi_get_cb_info(env, info, &count, values, nullptr, nullptr) != napi_ok || count < Count) bad("too few arguments");
  }

  void bad(const char *text) {
    if (good) napi_throw_type_error(env, "bad-data", text);
    good = false;
  }

  template <typename Target>
  Target *handle(size_t at, Kind kind) {
    void *data = nullptr;
    if (!good) return nullptr;
    if (napi_get_value_external(env, values[at], &data) != napi_ok || data == nullptr || static_cast<Handle *>(data)->kind != kind) {
      bad("not a handle of this kind");
      return nullptr;
    }
    void *target = static_cast<Handle *>(data)->target;
    if (target == nullptr) {
      fail(env, "session-closed", kind == Kind::module ? "the module is closed" : "the session is closed");
      good = false;
    }
    return static_cast<Target *>(target);
  }

  // A session that nobody else works with, and a step of such a session.
  tfc_session *idle_session(size_t at) {
    auto *session = handle<tfc_session>(at, Kind::session);
    if (good) require_idle(session);
    return session;
  }

  tfc_step *idle_step(size_t at) {
    auto *step = handle<tfc_step>(at, Kind::step);
    if (good) require_idle(step->session);
    return step;
  }

  // A step that nobody runs; its session may be at work with another one.
  tfc_step *resting_step(size_t at) {
    auto *step = handle<tfc_step>(at, Kind::step);
    if (good && step->session->lent == step) require_idle(step->session);
    return step;
  }

  void require_idle(const tfc_session *session) {
    if (session->lent == nullptr) return;
    fail(env, "session-busy", "a step of the session runs");
    good = false;
  }

  int64_t integer(size_t at) {
    int64_t value = 0;
    if (good && napi_get_value_int64(env, values[at], &value) != napi_ok) bad("not a number");
    return value;
  }

  struct Bytes {
    void *data;
    size_t bytes;
    size_t length;
    napi_typedarray_type type;
  };

  Bytes array(size_t at) {
    Bytes result{nullptr, 0, 0, napi_uint8_array};
    if (!good) return result;
    if (napi_get_typedarray_info(env, values[at], &result.type, &result.length, &result.data, nullptr, nullptr) != napi_ok) {
      bad("not a typed array");
      return result;
    }
    size_t width = 1;
    switch (result.type) {
      case napi_int8_array: case napi_uint8_array: case napi_uint8_clamped_array: width = 1; break;
      case napi_int16_array: case napi_uint16_array: width = 2; break;
      case napi_int32_array: case napi_uint32_array: case napi_float32_array: width = 4; break;
      default: width = 8; break;
    }
    result.bytes = result.length * width;
    return result;
  }

  // A typed array of one type with at least `least` elements.
  void *array(size_t at, napi_typedarray_type type, size_t least) {
    Bytes found = array(at);
    if (good && (found.type != type || found.length < least)) bad("a typed array of another type or length");
    return good ? found.data : nullptr;
  }
};

napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

napi_value wrap(napi_env env, Kind kind, void *target) {
  auto *handle = new (std::nothrow) Handle{kind, target};
  napi_value result = nullptr;
  if (handle == nullptr || napi_create_external(env, handle, finalize, nullptr, &result) != napi_ok) {
    Handle scratch{kind, target};
    release(&scratch);
    delete handle;
    fail(env, "out-of-memory", "no memory for a handle");
    return nullptr;
  }
  return result;
}

}  // namespace

#endif
