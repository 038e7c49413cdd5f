#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/isa.h"
#include "engine/kernels/pixel_layout.h"
#include "engine/kernels/reach.h"
#include "octavo/tensor.h"

namespace octavo {

/// One thread's part of a step: share `index` of `count`, or only some of that share's parts.
struct Share {
  /// Parts `first` .. `end` of `count` equal ones.
  struct Parts {
    int first = 0;
    int end = 1;
    int count = 1;
  };
  int index = 0;
  int count = 1;
  Parts parts = {};

  /// The half-open range of `items` units that is this share's, even to within one unit. Ranges of all
  /// shares, or of all parts of them, cover the units without a gap and do not overlap.
  struct Range {
    std::int64_t begin;
    std::int64_t end;
  };
  [[nodiscard]] Range of(std::int64_t items) const noexcept {
    const std::int64_t all = std::int64_t{count} * parts.count, before = std::int64_t{index} * parts.count;
    return {items * (before + parts.first) / all, items * (before + parts.end) / all};
  }
  /// True of one of all shares' parts: the one that begins the step, which may be empty.
  [[nodiscard]] bool is_first() const noexcept { return index == 0 && parts.first == 0; }
};

/// Where a step's tensors are while it runs. `inputs` are in the order of the step's operands; constants that
/// the kernel packed while it was prepared are there too (canonical form). `scratch` belongs to the calling
/// thread alone.
struct KernelArgs {
  std::span<const std::byte* const> inputs;
  std::byte* output = nullptr;
  std::byte* scratch = nullptr;
  std::int64_t batch = 1;  ///< a problem's leading extent (n, rows, outer ...) is multiplied by this
  /// What the calling thread reads or writes in a later step: a kernel may ask L2 for it meanwhile.
  std::span<const std::byte> next = {};
  /// The thread has just run another part of the same step, of the same batch: `scratch` is as that left it.
  bool continues = false;
  /// The output's, where the step after this one wants another than the plan's; one that `can_write` takes.
  const PixelLayout* output_layout = nullptr;
  /// inputs[0] lies as `wanted_layout` says.
  bool has_wanted_layout = false;
  /// That of the residual, inputs[2], where the step that wrote it wrote another than the plan's; one that
  /// `can_add` takes. Where the residual is the output's memory, its pixels lie as the output's do.
  const PixelLayout* residual_layout = nullptr;
};

/// A kernel made ready for one Problem: weights packed, tables built. Immutable: any number of threads and
/// sessions may run it at once.
class Prepared {
 public:
  Prepared() = default;
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  virtual ~Prepared() = default;
  /// Computes this share of the step. No allocation, no system call, no exception. Shares write disjoint
  /// memory; all shares 0..count-1 must run for the step to be done.
  virtual void run(const KernelArgs& args, Share share) const noexcept = 0;
  /// Whether it pays to do each of `shares` shares of a batch in parts: they are large, and little is read or
  /// made again for each part.
  [[nodiscard]] virtual bool runs_in_parts(std::int64_t /*batch*/, int /*shares*/) const noexcept {
    return false;
  }
  /// What this share touches where one image takes the step; nothing where that cannot be told. Known shares
  /// may run as bands of an image, other steps' between them.
  [[nodiscard]] virtual std::optional<Reach> reach(Share /*share*/) const { return std::nullopt; }
  /// The packed constants that this share of a batch reads, in the order in which it reads them; where it
  /// begins amid constants that it then reads all over again, from their beginning. Only the first of them
  /// where it asks for the others itself, ahead of their turn.
  [[nodiscard]] virtual std::span<const std::byte> constants(std::int64_t /*batch*/,
                                                             Share /*share*/) const noexcept {
    return {};
  }
  /// The layout in which this kernel would have its first input, which it copies otherwise; nullptr: the
  /// plan's. It lives as long as the kernel.
  [[nodiscard]] virtual const PixelLayout* wanted_layout() const noexcept { return nullptr; }
  /// Whether this kernel can write its output in that layout.
  [[nodiscard]] virtual bool can_write(const PixelLayout& /*layout*/) const noexcept { return false; }
  /// Whether this kernel can read its residual in that layout.
  [[nodiscard]] virtual bool can_add(const PixelLayout& /*layout*/) const noexcept { return false; }
  /// Scratch that each thread needs, in bytes, 64-byte aligned by the caller.
  [[nodiscard]] virtual std::int64_t scratch_bytes() const noexcept { return 0; }
};

class ConstantMemory;

/// What a kernel is told of one operand while it is prepared.
struct Operand {
  DType dtype = DType::f32;
  const Quantization* quantization = nullptr;  ///< nullptr for plain numbers
  TensorView constant;                         ///< data == nullptr unless known before the run
  [[nodiscard]] bool is_constant() const noexcept { return constant.data != nullptr; }
};

/// Numbers that change a kernel's arithmetic but not its choice: lo, hi, alpha, beta, conv_scale, ...
using Parameters = std::map<std::string, double, std::less<>>;

/// All that `prepare` gets beside the Problem. Views stay valid as long as the Prepared object lives.
struct Operands {
  std::vector<Operand> inputs;  ///< an absent optional input has no entry: the Problem says which are there
  Operand output;
  Parameters parameters;
  ConstantMemory* memory = nullptr;  ///< for packed constants; nullptr: kernels have their own
  /// A parameter, or `fallback` when the step does not give it.
  [[nodiscard]] double parameter(std::string_view name, double fallback = 0.0) const {
    const auto found = parameters.find(name);
    return found == parameters.end() ? fallback : found->second;
  }
};

/// A kernel's answer to "can you do this Problem?": yes, no, or yes but the rows after it do it faster; the
/// latter two with a reason for people.
struct Support {
  std::string_view reason;  ///< empty = yes
  bool is_legal = true;
  static constexpr Support yes() noexcept { return {"", true}; }
  static constexpr Support no(std::string_view why) noexcept { return {why, false}; }
  static constexpr Support slower(std::string_view why) noexcept { return {why, true}; }
  explicit operator bool() const noexcept { return is_legal; }
};

/// One way to solve Problems of one family. Rows stand in a table per family, best first, the reference last.
/// One that only an explicit wish chooses has results that are not the others'.
template <class Problem>
struct KernelRow {
  std::string_view name;
  Isa needs = Isa::generic;
  Support (*supports)(const Problem&) noexcept = nullptr;
  std::unique_ptr<Prepared> (*prepare)(const Problem&, const Operands&) = nullptr;
  bool only_on_request = false;
};

}  // namespace octavo
