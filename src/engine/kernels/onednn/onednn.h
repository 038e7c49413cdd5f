#pragma once
#include <oneapi/dnnl/dnnl_version.h>

#include <cstdint>
#include <dnnl.hpp>
#include <vector>

#include "base/fail.h"
#include "engine/kernels/activation.h"
#include "engine/kernels/kernel.h"

// What the rows of this folder share. Only this folder includes dnnl.hpp; it builds with oneDNN 2.6 and 3.x.
namespace octavo::onednn {

/// The CPU engine. The first call caps oneDNN's instruction set at the one in use (OCTAVO_ISA), and below AMX
/// where CPUID's tile leaf reads zero: oneDNN 2.6 dies there with SIGILL. Error(unsupported) when oneDNN was
/// used by somebody else before and cannot be capped any more.
const dnnl::engine& engine();

/// While it lives, what oneDNN does on this thread stays on this thread: our own team divides the work. A
/// no-op where oneDNN was built without OpenMP.
class SingleThread {
 public:
  SingleThread() noexcept;
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;
  ~SingleThread();

 private:
  int threads_before_;
};

/// Calls `make`, translating oneDNN's exceptions to Error(unsupported); `what` names the primitive.
template <class Make>
auto translated(std::string_view what, const Make& make) {
  const SingleThread single_thread;
  try {
    return make();
  } catch (const dnnl::error& error) {
    throw Error(ErrorCode::unsupported, std::string("oneDNN ") + std::string(what) + ": " + error.what());
  }
}

dnnl::memory::desc f32_desc(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag);

/// What the factors of f32 products are rounded to; sums, biases and results stay f32.
enum class Factors { f32, bf16 };
constexpr dnnl::memory::data_type type_of(Factors factors) noexcept {
  return factors == Factors::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}
/// Error(unsupported) where the CPU, or the instruction set that was forced, has no products of bf16.
void check_available(Factors factors);

/// Appends an activation; clamp's bounds are the parameters lo and hi.
void append_activation(dnnl::post_ops& ops, Activation activation, const Parameters& parameters);
/// Attributes with these post-ops; the scratchpad is ours to give.
dnnl::primitive_attr attributes(const dnnl::post_ops& ops);
/// `data` (f32, laid out as `from`) in the layout `to`, in memory of oneDNN's own.
dnnl::memory reordered(const dnnl::memory::desc& from, const std::byte* data, const dnnl::memory::desc& to);

/// oneDNN takes pointers to mutable memory even for what it only reads.
inline void* handle(const void* data) noexcept { return const_cast<void*>(data); }

/// Bytes rounded up to whole cache lines.
inline std::int64_t lines(std::int64_t bytes) noexcept { return (bytes + 63) / 64 * 64; }

/// One argument of a primitive.
struct Argument {
  int name;
  dnnl::memory::desc desc;
  const void* data;
};
/// Executes on this thread. oneDNN itself allocates its small records of arguments here; should it fail (it
/// has no memory), the `count` results at `result` become NaN.
void execute(const dnnl::primitive& primitive, std::initializer_list<Argument> arguments, float* result,
             std::int64_t count) noexcept;

}  // namespace octavo::onednn
