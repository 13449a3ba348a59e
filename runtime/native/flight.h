// A step that runs while JavaScript goes on. In: a bound step. Out: a promise of its status. Holds: the step is lent from before a thread of Node's pool takes it until the promise is settled, and its
// handle is not collected in between; Node ends no environment before its threads have given back what they took, so none is freed under a step.
#ifndef TFC_FLIGHT_H
#define TFC_FLIGHT_H

#include "arguments.h"

namespace {

struct Flight {
  tfc_step *step;
  napi_async_work work;
  napi_deferred deferred;
  napi_ref handle;
  int32_t status;
  tfc_error error;
};

// On another thread.
void fly(napi_env, void *data) {
  auto *flight = static_cast<Flight *>(data);
  flight->status = tfc_step_run(flight->step, &flight->error);
}

void discard(napi_env env, Flight *flight) {
  if (flight->work != nullptr) napi_delete_async_work(env, flight->work);
  if (flight->handle != nullptr) napi_delete_reference(env, flight->handle);
  tfc_step_regain(flight->step);
  delete flight;
}

void settle(napi_env env, napi_deferred deferred, int32_t status, const tfc_error &error) {
  napi_value code, text, value = nullptr;
  if (error.code == nullptr) {
    if (napi_create_int32(env, status, &value) == napi_ok) napi_resolve_deferred(env, deferred, value);
    return;
  }
  if (napi_create_string_utf8(env, error.code, NAPI_AUTO_LENGTH, &code) == napi_ok && napi_create_string_utf8(env, error.text, NAPI_AUTO_LENGTH, &text) == napi_ok && napi_create_error(env, code, text, &value) == napi_ok)
    napi_reject_deferred(env, deferred, value);
}

// Back on the thread that started it; it may be ending, and then nobody waits any more.
void land(napi_env env, napi_status, void *data) {
  auto *flight = static_cast<Flight *>(data);
  const napi_deferred deferred = flight->deferred;
  const int32_t status = flight->status;
  const tfc_error error = flight->error;
  discard(env, flight);
  settle(env, deferred, status, error);
}

napi_value take_off(napi_env env, tfc_step *step, napi_value handle) {
  tfc_error error = {};
  if (!tfc_step_lend(step, &error)) {
    fail(env, error);
    return nullptr;
  }
  auto *flight = new (std::nothrow) Flight{step, nullptr, nullptr, nullptr, 0, {}};
  if (flight == nullptr) {
    tfc_step_regain(step);
    fail(env, "out-of-memory", "no memory to start a step");
    return nullptr;
  }
  napi_value name, promise = nullptr;
  if (napi_create_reference(env, handle, 1, &flight->handle) != napi_ok || napi_create_string_utf8(env, "tfc", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, nullptr, name, fly, land, flight, &flight->work) != napi_ok || napi_create_promise(env, &flight->deferred, &promise) != napi_ok ||
      napi_queue_async_work(env, flight->work) != napi_ok) {
    discard(env, flight);
    fail(env, "out-of-memory", "no thread to start a step on");
    return nullptr;
  }
  return promise;
}

}  // namespace

#endif
