#include "octavo/tensor.h"

#include <sys/mman.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "base/memory_region.h"
#include "octavo/error.h"

namespace octavo {
namespace {

struct DTypeFacts {
  std::string_view name;
  std::int64_t bytes;
};

constexpr std::array<DTypeFacts, 11> kDTypes{{{"f32", 4},
                                              {"f16", 2},
                                              {"bf16", 2},
                                              {"f64", 8},
                                              {"u8", 1},
                                              {"s8", 1},
                                              {"u16", 2},
                                              {"s16", 2},
                                              {"s32", 4},
                                              {"s64", 8},
                                              {"bool", 1}}};

constexpr std::size_t kAlignment = 64;
constexpr auto kHugePage = static_cast<std::size_t>(kHugePageBytes);

/// Memory of `size` bytes for std::free; nullptr: there is none. Where a huge page fits it is asked for:
/// behind pages of 4 KiB, 2 MiB that lie side by side compete for the same places of a 2 MiB L2.
std::byte* memory_of(std::size_t size) {
  const bool is_large = size >= kHugePage;
  void* memory = nullptr;
  if (::posix_memalign(&memory, is_large ? kHugePage : kAlignment, size) != 0) return nullptr;
  if (is_large) ::madvise(memory, size / kHugePage * kHugePage, MADV_HUGEPAGE);
  return static_cast<std::byte*>(memory);
}

}  // namespace

std::string_view dtype_name(DType dtype) noexcept { return kDTypes[static_cast<std::size_t>(dtype)].name; }

std::optional<DType> parse_dtype(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kDTypes.size(); ++i) {
    if (kDTypes[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::int64_t dtype_bytes(DType dtype) noexcept { return kDTypes[static_cast<std::size_t>(dtype)].bytes; }

std::int64_t element_count(std::span<const std::int64_t> shape) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 8;
  std::int64_t count = 1;
  for (std::int64_t extent : shape) {
    if (extent < 0)
      throw Error(ErrorCode::invalid_model, "shape " + shape_text(shape) + " has a negative extent");
    if (extent != 0 && count > kMost / extent) {
      throw Error(ErrorCode::invalid_model,
                  "shape " + shape_text(shape) + " has more elements than memory can hold");
    }
    count *= extent;
  }
  return count;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

void Tensor::Free::operator()(std::byte* p) const noexcept { std::free(p); }

Tensor::Tensor(DType dtype, std::vector<std::int64_t> shape)
    : dtype_(dtype), shape_(std::move(shape)), elements_(element_count(shape_)) {
  const auto size = (static_cast<std::size_t>(bytes()) / kAlignment + 1) * kAlignment;
  std::byte* const memory = memory_of(size);
  if (memory == nullptr) {
    throw Error(ErrorCode::io, "no memory for a tensor of shape " + shape_text(shape_) + " (" +
                                   std::to_string(size) + " bytes)");
  }
  data_.reset(memory);
  std::memset(memory, 0, size);
}

Tensor::Tensor(const TensorView& view) : Tensor(view.dtype, view.shape) {
  if (elements_ > 0) std::memcpy(data_.get(), view.data, static_cast<std::size_t>(bytes()));
}

Tensor::Tensor(const Tensor& other) { *this = other; }

Tensor& Tensor::operator=(const Tensor& other) {
  if (this == &other) return *this;
  *this = other.data_ == nullptr ? Tensor() : Tensor(other.view());
  return *this;
}

Tensor Tensor::reshaped(std::vector<std::int64_t> shape) && {
  if (element_count(shape) != elements_) {
    throw Error(ErrorCode::invalid_argument,
                "cannot view shape " + shape_text(shape_) + " as " + shape_text(shape));
  }
  shape_ = std::move(shape);
  return std::move(*this);
}

}  // namespace octavo
