#include "engine/kernels/onednn/onednn.h"

#include <dlfcn.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/cpu.h"
#include "base/fail.h"

namespace octavo::onednn {
namespace {

/// The OpenMP functions of the library that oneDNN itself is linked with; null without OpenMP. Looked up from
/// oneDNN's own file, so that we need no OpenMP and meet no other copy of it in the process.
struct OpenMp {
  int (*get_max_threads)() = nullptr;
  void (*set_num_threads)(int) = nullptr;

  OpenMp() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&dnnl_version), &info) == 0) return;
    void* library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (library == nullptr) library = dlopen(nullptr, RTLD_LAZY);
    if (library == nullptr) return;
    get_max_threads = reinterpret_cast<int (*)()>(dlsym(library, "omp_get_max_threads"));
    set_num_threads = reinterpret_cast<void (*)(int)>(dlsym(library, "omp_set_num_threads"));
    if (get_max_threads == nullptr) set_num_threads = nullptr;
  }
};

const OpenMp& open_mp() noexcept {
  static const OpenMp kOpenMp;
  return kOpenMp;
}

dnnl::cpu_isa isa_cap(Isa isa, bool tile_leaf_is_zero) {
  switch (isa) {
    case Isa::generic:
      return dnnl::cpu_isa::sse41;
    case Isa::avx2:
      return dnnl::cpu_isa::avx2;
    case Isa::avx_vnni:
      return dnnl::cpu_isa::avx2_vnni;
    case Isa::avx512:
      return dnnl::cpu_isa::avx512_core;
    case Isa::avx512_vnni:
      return cpu_facts().has(CpuFeature::avx512_bf16) ? dnnl::cpu_isa::avx512_core_bf16
                                                      : dnnl::cpu_isa::avx512_core_vnni;
    case Isa::amx_int8:
      return tile_leaf_is_zero ? dnnl::cpu_isa::avx512_core_bf16 : dnnl::cpu_isa::avx512_core_amx;
  }
  return dnnl::cpu_isa::sse41;
}

dnnl::engine capped_engine() {
  const dnnl::cpu_isa cap = isa_cap(usable_isa(), cpu_facts().tile_leaf_is_zero);
  const bool is_capped = dnnl::set_max_cpu_isa(cap) == dnnl::status::success;
  if (!is_capped && cpu_facts().has(Isa::amx_int8) && cpu_facts().tile_leaf_is_zero) {
    fail(ErrorCode::unsupported,
         "oneDNN was used before Octavo could keep it from AMX, whose CPUID leaf 0x1D reads zero here");
  }
  return {dnnl::engine::kind::cpu, 0};
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine kEngine = translated("engine", capped_engine);
  return kEngine;
}

SingleThread::SingleThread() noexcept : threads_before_(0) {
  if (open_mp().set_num_threads == nullptr) return;
  threads_before_ = open_mp().get_max_threads();
  open_mp().set_num_threads(1);
}

SingleThread::~SingleThread() {
  if (threads_before_ > 0) open_mp().set_num_threads(threads_before_);
}

dnnl::memory::desc f32_desc(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag) {
  return {dims, dnnl::memory::data_type::f32, tag};
}

void check_available(Factors factors) {
  const bool has_bf16 = cpu_facts().has(CpuFeature::avx512_bf16) && implies(usable_isa(), Isa::avx512_vnni);
  if (factors == Factors::bf16 && !has_bf16) fail(ErrorCode::unsupported, "needs avx512_bf16");
}

void append_activation(dnnl::post_ops& ops, Activation activation, const Parameters& parameters) {
  if (activation == Activation::none) return;
  float lo = 0.0F;
  float hi = 0.0F;
  dnnl::algorithm algorithm = dnnl::algorithm::eltwise_relu;
  if (activation == Activation::clamp) {
    algorithm = dnnl::algorithm::eltwise_clip;
    lo = static_cast<float>(parameters.at("lo"));
    hi = static_cast<float>(parameters.at("hi"));
  }
#if DNNL_VERSION_MAJOR >= 3
  ops.append_eltwise(algorithm, lo, hi);
#else
  ops.append_eltwise(1.0F, algorithm, lo, hi);
#endif
}

dnnl::primitive_attr attributes(const dnnl::post_ops& ops) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attr.set_post_ops(ops);
  return attr;
}

dnnl::memory reordered(const dnnl::memory::desc& from, const std::byte* data, const dnnl::memory::desc& to) {
  dnnl::memory source(from, engine(), handle(data));
  dnnl::memory result(to, engine());
  dnnl::stream stream(engine());
  dnnl::reorder(source, result).execute(stream, source, result);
  stream.wait();
  return result;
}

void execute(const dnnl::primitive& primitive, std::initializer_list<Argument> arguments, float* result,
             std::int64_t count) noexcept {
  const SingleThread single_thread;
  try {
    std::unordered_map<int, dnnl::memory> memories;
    for (const Argument& a : arguments) {
      if (a.data != nullptr) memories.emplace(a.name, dnnl::memory(a.desc, engine(), handle(a.data)));
    }
    dnnl::stream stream(engine());
    primitive.execute(stream, memories);
    stream.wait();
  } catch (...) {
    std::fill_n(result, count, std::numeric_limits<float>::quiet_NaN());
  }
}

}  // namespace octavo::onednn
