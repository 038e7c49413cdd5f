#include "compiler/import/torchscript/tensors.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/fail.h"

namespace octavo::torchscript {
namespace {

/// What reading all tensors may cost, on top of a multiple of the file: guards against many views of one
/// large storage.
constexpr std::int64_t kFreeBytes = std::int64_t{64} << 20;
constexpr std::int64_t kMostFileMultiple = 6;

/// Offset of the last element, in elements. Every product and sum is checked, the sizes are those of a
/// hostile file.
std::int64_t last_element(const StoredTensor& tensor) {
  std::int64_t last = tensor.offset;
  for (std::size_t d = 0; d < tensor.sizes.size(); ++d) {
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(tensor.sizes[d] - 1, tensor.strides[d], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      fail(ErrorCode::invalid_model, "tensor of sizes {} and strides {} in storage '{}' overflows",
           shape_text(tensor.sizes), shape_text(tensor.strides), tensor.storage->member);
    }
  }
  return last;
}

/// The number of elements, after checking that all of them lie in the storage of `available` elements.
std::int64_t checked_elements(const StoredTensor& tensor, std::int64_t available) {
  const std::string& member = tensor.storage->member;
  if (tensor.sizes.size() != tensor.strides.size() || tensor.sizes.size() > 16) {
    fail(ErrorCode::invalid_model, "tensor in storage '{}' has {} sizes and {} strides", member,
         tensor.sizes.size(), tensor.strides.size());
  }
  for (std::int64_t stride : tensor.strides) {
    if (stride < 0) fail(ErrorCode::invalid_model, "tensor in storage '{}' has stride {}", member, stride);
  }
  const std::int64_t elements = element_count(tensor.sizes);
  if (tensor.offset < 0)
    fail(ErrorCode::invalid_model, "tensor in storage '{}' has offset {}", member, tensor.offset);
  if (elements == 0) return 0;
  const std::int64_t last = last_element(tensor);
  if (last >= available) {
    fail(ErrorCode::invalid_model,
         "tensor of sizes {}, strides {}, offset {} leaves storage '{}' of {} elements",
         shape_text(tensor.sizes), shape_text(tensor.strides), tensor.offset, member, available);
  }
  if (elements > available) {
    fail(ErrorCode::invalid_model, "tensor of sizes {} has more elements than its storage '{}' ({})",
         shape_text(tensor.sizes), member, available);
  }
  return elements;
}

void copy_strided(const StoredTensor& tensor, const std::byte* src, Tensor& dst) {
  const auto size = static_cast<std::size_t>(dtype_bytes(dst.dtype()));
  const std::size_t rank = tensor.sizes.size();
  std::vector<std::int64_t> index(rank, 0);
  std::int64_t from = tensor.offset;
  std::byte* to = dst.data();
  for (std::int64_t n = dst.elements(); n > 0; --n, to += size) {
    std::memcpy(to, src + static_cast<std::size_t>(from) * size, size);
    for (std::size_t d = rank; d-- > 0;) {
      from += tensor.strides[d];
      if (++index[d] < tensor.sizes[d]) break;
      from -= tensor.strides[d] * tensor.sizes[d];
      index[d] = 0;
    }
  }
}

template <class T>
std::vector<double> numbers(const Tensor& tensor) {
  const auto values = tensor.as<T>();
  return {values.begin(), values.end()};
}

std::vector<double> numbers_of(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::f32:
      return numbers<float>(tensor);
    case DType::f64:
      return numbers<double>(tensor);
    case DType::s64:
      return numbers<std::int64_t>(tensor);
    case DType::s32:
      return numbers<std::int32_t>(tensor);
    case DType::s16:
      return numbers<std::int16_t>(tensor);
    case DType::s8:
      return numbers<std::int8_t>(tensor);
    case DType::u8:
      return numbers<std::uint8_t>(tensor);
    default:
      fail(ErrorCode::unsupported, "a {} tensor where numbers are expected", dtype_name(tensor.dtype()));
  }
}

float checked_scale(double scale, const std::string& member) {
  const auto rounded = static_cast<float>(scale);
  if (!(rounded > 0.0F) || !std::isfinite(rounded)) {
    fail(ErrorCode::invalid_model, "quantized tensor in storage '{}' has scale {}", member, scale);
  }
  return rounded;
}

std::int32_t checked_zero_point(double zero_point, DType dtype, const std::string& member) {
  const double lowest = dtype == DType::u8   ? 0
                        : dtype == DType::s8 ? -128
                                             : std::numeric_limits<std::int32_t>::min();
  const double highest = dtype == DType::u8   ? 255
                         : dtype == DType::s8 ? 127
                                              : std::numeric_limits<std::int32_t>::max();
  if (!(zero_point >= lowest && zero_point <= highest)) {
    fail(ErrorCode::invalid_model, "quantized tensor in storage '{}' has zero point {}", member, zero_point);
  }
  return static_cast<std::int32_t>(zero_point);
}

}  // namespace

void TensorReader::charge(std::int64_t bytes, const std::string& member) {
  bytes_charged_ += bytes;
  const std::int64_t most = kFreeBytes + kMostFileMultiple * static_cast<std::int64_t>(archive_.file_bytes());
  if (bytes_charged_ > most) {
    fail(ErrorCode::invalid_model, "the model's tensors take more than {} bytes, at storage '{}'", most,
         member);
  }
}

std::span<const std::byte> TensorReader::storage_bytes(const Storage& storage) {
  if (storage.member != last_member_) {
    last_bytes_ = archive_.read(storage.member);
    last_member_ = storage.member;
    charge(static_cast<std::int64_t>(last_bytes_.size()), storage.member);
  }
  return last_bytes_;
}

Tensor TensorReader::read(const StoredTensor& tensor) {
  const Storage& storage = *tensor.storage;
  const std::int64_t size = dtype_bytes(storage.dtype);
  const std::span<const std::byte> bytes = storage_bytes(storage);
  const auto available = static_cast<std::int64_t>(bytes.size()) / size;
  if (storage.elements != available) {
    fail(ErrorCode::invalid_model, "storage '{}' holds {} elements of {}, the pickle says {}", storage.member,
         available, dtype_name(storage.dtype), storage.elements);
  }
  charge(checked_elements(tensor, available) * size, storage.member);
  Tensor dense(storage.dtype, tensor.sizes);
  copy_strided(tensor, bytes.data(), dense);
  return dense;
}

std::optional<Quantization> TensorReader::read_quantization(const StoredTensor& tensor) {
  if (!tensor.quantizer) return std::nullopt;
  const Quantizer& quantizer = *tensor.quantizer;
  const std::string& member = tensor.storage->member;
  const DType dtype = tensor.storage->dtype;
  if (quantizer.scales == nullptr) {
    return Quantization::per_tensor(
        checked_scale(quantizer.scale, member),
        checked_zero_point(static_cast<double>(quantizer.zero_point), dtype, member));
  }
  const std::vector<double> scales = numbers_of(read(*quantizer.scales));
  const std::vector<double> zero_points = numbers_of(read(*quantizer.zero_points));
  const auto rank = static_cast<std::int64_t>(tensor.sizes.size());
  if (quantizer.axis < 0 || quantizer.axis >= rank) {
    fail(ErrorCode::invalid_model, "quantized tensor in storage '{}' has axis {} of {}", member,
         quantizer.axis, rank);
  }
  const auto channels = static_cast<std::size_t>(tensor.sizes[static_cast<std::size_t>(quantizer.axis)]);
  if (scales.size() != channels || zero_points.size() != channels) {
    fail(ErrorCode::invalid_model,
         "quantized tensor in storage '{}' has {} scales and {} zero points for {} channels", member,
         scales.size(), zero_points.size(), channels);
  }
  Quantization result{.scales = {}, .zero_points = {}, .axis = static_cast<int>(quantizer.axis)};
  for (std::size_t i = 0; i < channels; ++i) {
    result.scales.push_back(checked_scale(scales[i], member));
    result.zero_points.push_back(checked_zero_point(zero_points[i], dtype, member));
  }
  return result;
}

double TensorReader::read_number(const StoredTensor& tensor) {
  if (element_count(tensor.sizes) != 1) {
    fail(ErrorCode::invalid_model, "tensor of shape {} where one number is expected",
         shape_text(tensor.sizes));
  }
  return numbers_of(read(tensor)).front();
}

std::vector<std::int64_t> TensorReader::read_integers(const StoredTensor& tensor) {
  const Tensor dense = read(tensor);
  if (dense.dtype() == DType::f32 || dense.dtype() == DType::f64) {
    fail(ErrorCode::invalid_model, "tensor of {} where integers are expected", dtype_name(dense.dtype()));
  }
  std::vector<std::int64_t> integers;
  for (double number : numbers_of(dense)) {
    if (std::abs(number) > 1e15) fail(ErrorCode::invalid_model, "integer tensor holds {}", number);
    integers.push_back(static_cast<std::int64_t>(number));
  }
  return integers;
}

}  // namespace octavo::torchscript
