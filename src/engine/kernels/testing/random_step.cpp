#include "engine/kernels/testing/random_step.h"

#include <cpuid.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/fail.h"

namespace octavo::testing {
namespace {

std::int64_t elements_at(const OperandSpec& spec, std::int64_t batch) {
  return spec.elements + (batch - 1) * spec.batch_stride;
}

template <class T>
void fill_with(std::byte* memory, std::int64_t elements, const OperandSpec& spec, Random& random) {
  for (std::int64_t i = 0; i < elements; ++i) {
    T value{};
    if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<T>(std::uniform_real_distribution<double>(spec.lowest, spec.highest)(random));
    } else {
      value = static_cast<T>(std::uniform_int_distribution<std::int64_t>(
          static_cast<std::int64_t>(spec.lowest), static_cast<std::int64_t>(spec.highest))(random));
    }
    std::memcpy(memory + i * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
  }
}

void fill(std::byte* memory, std::int64_t elements, const OperandSpec& spec, Random& random) {
  switch (spec.dtype) {
    case DType::f32:
      return fill_with<float>(memory, elements, spec, random);
    case DType::f64:
      return fill_with<double>(memory, elements, spec, random);
    case DType::u8:
      return fill_with<std::uint8_t>(memory, elements, spec, random);
    case DType::s8:
      return fill_with<std::int8_t>(memory, elements, spec, random);
    case DType::f16:
    case DType::bf16:
    case DType::u16:
      return fill_with<std::uint16_t>(memory, elements, spec, random);
    case DType::s16:
      return fill_with<std::int16_t>(memory, elements, spec, random);
    case DType::s32:
      return fill_with<std::int32_t>(memory, elements, spec, random);
    case DType::s64:
      return fill_with<std::int64_t>(memory, elements, spec, random);
    case DType::boolean:
      return fill_with<std::uint8_t>(memory, elements, spec, random);
  }
}

bool has_amx() {
  constexpr long kRequestTileData = 0x1023, kTileData = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d >> 25 & 1U) == 0) return false;
  return syscall(SYS_arch_prctl, kRequestTileData, kTileData) == 0;
}

bool has_avx_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1U) != 0;
}

}  // namespace

Quantization random_quantization(DType dtype, Random& random) {
  const auto scale = static_cast<float>(std::uniform_real_distribution<double>(0.001, 0.1)(random));
  const int lowest = dtype == DType::s8 ? -128 : 0;
  return Quantization::per_tensor(scale, std::uniform_int_distribution<int>(lowest, lowest + 255)(random));
}

OperandSpec growing_operand(DType dtype, std::int64_t elements, Quantization quantization) {
  OperandSpec spec;
  spec.dtype = dtype;
  spec.elements = spec.batch_stride = elements;
  spec.quantization = std::move(quantization);
  if (dtype == DType::f32) spec.lowest = -4, spec.highest = 4;
  if (dtype == DType::s8) spec.lowest = -128, spec.highest = 127;
  if (dtype == DType::s32 || dtype == DType::s64) spec.lowest = -1000, spec.highest = 1000;
  if (dtype == DType::boolean) spec.highest = 1;
  return spec;
}

bool runs_here(Isa isa) {
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") != 0 &&
                      __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
                      __builtin_cpu_supports("avx512vl") != 0;
  const bool avx512_vnni =
      avx512 && __builtin_cpu_supports("avx512vnni") != 0 && __builtin_cpu_supports("avx512vbmi") != 0;
  switch (isa) {
    case Isa::generic:
      return true;
    case Isa::avx2:
      return avx2;
    case Isa::avx_vnni:
      return avx2 && has_avx_vnni();
    case Isa::avx512:
      return avx512;
    case Isa::avx512_vnni:
      return avx512_vnni;
    case Isa::amx_int8:
      return avx512_vnni && has_amx();
  }
  return false;
}

GuardedMemory::GuardedMemory(std::int64_t bytes, Side side) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t inside = (static_cast<std::size_t>(bytes) + page - 1) / page * page;
  mapped_ = inside + 2 * page;
  void* const pages = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  pages_ = static_cast<std::byte*>(pages);
  if (inside > 0 && mprotect(pages_ + page, inside, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
  data_ = pages_ + page + (side == Side::end ? inside - static_cast<std::size_t>(bytes) : 0);
}

GuardedMemory::~GuardedMemory() { munmap(pages_, mapped_); }

RandomStep::RandomStep(const StepSpec& spec, std::int64_t batch, Random& random)
    : spec_(spec), batch_(batch) {
  for (const OperandSpec& input : spec_.inputs) {
    const std::int64_t elements = elements_at(input, batch);
    memory_.push_back(std::make_unique<GuardedMemory>(elements * dtype_bytes(input.dtype), side()));
    fill(memory_.back()->data(), elements, input, random);
    Operand operand{.dtype = input.dtype,
                    .quantization = input.quantization.scales.empty() ? nullptr : &input.quantization,
                    .constant = {}};
    if (input.constant) {
      const auto shape = input.shape.empty() ? std::vector<std::int64_t>{elements} : input.shape;
      operand.constant = TensorView{input.dtype, shape, memory_.back()->data()};
    }
    operands_.inputs.push_back(operand);
  }
  operands_.output.dtype = spec_.output.dtype;
  if (!spec_.output.quantization.scales.empty()) operands_.output.quantization = &spec_.output.quantization;
  operands_.parameters = spec_.parameters;
}

std::vector<std::byte> RandomStep::run(const Prepared& prepared, int shares) const {
  // Another filling for every number of shares, so that a byte left unwritten cannot look right twice.
  return run(prepared, {0, shares}, shares, static_cast<std::byte>(0x5a + 37 * shares));
}

std::vector<std::byte> RandomStep::run(const Prepared& prepared, Share first, int last,
                                       std::byte filling) const {
  const std::int64_t bytes = output_bytes();
  const GuardedMemory output(bytes, side());
  std::memset(output.data(), std::to_integer<int>(filling), static_cast<std::size_t>(bytes));
  run_shares(prepared, first, last, inputs(), output.data());
  return {output.data(), output.data() + bytes};
}

std::vector<std::byte> RandomStep::run_over(std::size_t residual, const Prepared& prepared,
                                            int shares) const {
  const std::int64_t bytes = output_bytes();
  const GuardedMemory output(bytes, side());
  std::memcpy(output.data(), memory_[residual]->data(), static_cast<std::size_t>(bytes));
  std::vector<const std::byte*> laid = inputs();
  laid[residual] = output.data();
  run_shares(prepared, {0, shares}, shares, laid, output.data());
  return {output.data(), output.data() + bytes};
}

std::int64_t RandomStep::output_bytes() const {
  return elements_at(spec_.output, batch_) * dtype_bytes(spec_.output.dtype);
}

std::vector<const std::byte*> RandomStep::inputs() const {
  std::vector<const std::byte*> inputs;
  for (const auto& memory : memory_) inputs.push_back(memory->data());
  return inputs;
}

void RandomStep::run_shares(const Prepared& prepared, Share first, int last,
                            std::span<const std::byte* const> inputs, std::byte* output) const {
  constexpr std::int64_t kAlignment = 64;  // of scratch memory, hence of both of its ends
  const GuardedMemory scratch((prepared.scratch_bytes() + kAlignment - 1) / kAlignment * kAlignment, side());
  const int parts = first.count % 2 == 0 ? 3 : 1;
  for (int i = first.index; i < last; ++i) {
    for (int part = 0; part < parts; ++part) {
      const Share share{i, first.count, {part, part + 1, parts}};
      // What a step asks for ahead changes nothing; here its own constants stand for the next one's.
      const auto next = prepared.constants(batch_, share);
      prepared.run({inputs, output, scratch.data(), batch_, next, i > first.index || part > 0}, share);
    }
  }
}

std::string RandomStep::reach_error(const Prepared& prepared, Share share,
                                    std::span<const std::byte> expected) {
  constexpr std::byte kUnwritten{0xa7};
  const std::optional<Reach> reach = prepared.reach(share);
  if (!reach) return "";
  std::vector<std::vector<std::byte>> originals;
  for (std::size_t i = 0; i < memory_.size(); ++i) {
    const OperandSpec& input = spec_.inputs[i];
    const std::int64_t bytes = elements_at(input, batch_) * dtype_bytes(input.dtype);
    std::byte* const data = memory_[i]->data();
    originals.emplace_back(data, data + bytes);
    if (input.constant) continue;
    const ByteRange& read = reach->inputs.at(i);
    for (std::int64_t b = 0; b < bytes; ++b) {
      if (b < read.begin || b >= read.end) data[b] ^= std::byte{0x15};
    }
  }
  const std::vector<std::byte> got = run(prepared, share, share.index + 1, kUnwritten);
  for (std::size_t i = 0; i < memory_.size(); ++i)
    std::copy(originals[i].begin(), originals[i].end(), memory_[i]->data());
  for (std::int64_t b = 0; b < std::ssize(got); ++b) {
    const bool is_written = b >= reach->output.begin && b < reach->output.end;
    const auto at = static_cast<std::size_t>(b);
    if (is_written && got[at] != expected[at]) return "byte " + std::to_string(b) + " is wrong";
    if (!is_written && got[at] != kUnwritten)
      return "byte " + std::to_string(b) + " is written, beyond its reach";
  }
  return "";
}

}  // namespace octavo::testing
