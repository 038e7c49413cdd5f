#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "engine/kernels/kernel.h"

namespace octavo::testing {

using Random = std::mt19937_64;

/// What one operand of a step under test is like.
struct OperandSpec {
  DType dtype = DType::u8;
  std::int64_t elements = 0;         ///< in the first unit of batch
  std::int64_t batch_stride = 0;     ///< elements that every further unit of batch adds
  Quantization quantization;         ///< no scales: plain numbers
  double lowest = 0, highest = 255;  ///< values are drawn uniformly from here, whole ones for integers
  bool constant = false;             ///< known while preparing
  std::vector<std::int64_t> shape;   ///< of a constant; empty: one extent
};

/// All operands of a step under test. `output` needs no values.
struct StepSpec {
  std::vector<OperandSpec> inputs;
  OperandSpec output;
  Parameters parameters;
};

/// A scale between 0.001 and 0.1 and a zero point within the dtype; what a test takes when it does not care.
Quantization random_quantization(DType dtype, Random& random);
/// `dtype`'s whole range of values as an operand that grows by all its elements with each unit of batch.
OperandSpec growing_operand(DType dtype, std::int64_t elements, Quantization quantization = {});

/// Whether this machine can run code for `isa`.
bool runs_here(Isa isa);

/// Memory between two pages that nobody may touch, so that reading or writing beyond one of its ends is a
/// fault on every machine, without a sanitizer.
class GuardedMemory {
 public:
  /// Which end lies at a page that is out of bounds, to the byte.
  enum class Side { begin, end };
  GuardedMemory(std::int64_t bytes, Side side);
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  ~GuardedMemory();
  [[nodiscard]] std::byte* data() const noexcept { return data_; }

 private:
  std::byte* pages_;
  std::size_t mapped_;
  std::byte* data_;
};

/// A step with random operands for one batch size. Operands, scratch and output lie in guarded memory; their
/// ends are guarded for odd batches, their beginnings for even ones.
class RandomStep {
 public:
  RandomStep(const StepSpec& spec, std::int64_t batch, Random& random);
  RandomStep(const RandomStep&) = delete;
  RandomStep& operator=(const RandomStep&) = delete;

  [[nodiscard]] const Operands& operands() const noexcept { return operands_; }
  /// What `prepared` computes, share after share, each of an even number of them in three parts.
  [[nodiscard]] std::vector<std::byte> run(const Prepared& prepared, int shares) const;
  /// The same where the result lies over the input `residual`, which is as large: a plan lays it so.
  [[nodiscard]] std::vector<std::byte> run_over(std::size_t residual, const Prepared& prepared,
                                                int shares) const;
  /// What is wrong with what a share says of its reach: bytes that it writes elsewhere or leaves out, or
  /// others than `expected` once everything beyond its reach has changed. Empty when nothing is.
  [[nodiscard]] std::string reach_error(const Prepared& prepared, Share share,
                                        std::span<const std::byte> expected);
  [[nodiscard]] const std::byte* input(std::size_t i) const noexcept { return memory_[i]->data(); }

 private:
  /// Shares `first` .. `last` of `first.count`, in memory that is full of `filling`.
  [[nodiscard]] std::vector<std::byte> run(const Prepared& prepared, Share first, int last,
                                           std::byte filling) const;
  void run_shares(const Prepared& prepared, Share first, int last, std::span<const std::byte* const> inputs,
                  std::byte* output) const;
  [[nodiscard]] std::vector<const std::byte*> inputs() const;
  [[nodiscard]] std::int64_t output_bytes() const;
  [[nodiscard]] GuardedMemory::Side side() const noexcept {
    return batch_ % 2 != 0 ? GuardedMemory::Side::end : GuardedMemory::Side::begin;
  }

  StepSpec spec_;
  std::int64_t batch_;
  Operands operands_;
  std::vector<std::unique_ptr<GuardedMemory>> memory_;
};

}  // namespace octavo::testing
