#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace octavo {

/// Element types. The names are the ones that printed graphs, plans and problems use.
enum class DType : std::uint8_t { f32, f16, bf16, f64, u8, s8, u16, s16, s32, s64, boolean };

/// "f32", "u8", ...
std::string_view dtype_name(DType dtype) noexcept;
/// The inverse of `dtype_name`; nothing for an unknown name.
std::optional<DType> parse_dtype(std::string_view name) noexcept;
/// Size of one element in bytes.
std::int64_t dtype_bytes(DType dtype) noexcept;

/// Affine quantization: real = (q - zero_point) * scale.
/// One entry each for a whole tensor (axis < 0), or one per index along `axis`.
struct Quantization {
  std::vector<float> scales;
  std::vector<std::int32_t> zero_points;
  int axis = -1;

  [[nodiscard]] bool is_per_tensor() const noexcept { return axis < 0; }
  /// The parameters of a per-tensor quantization.
  [[nodiscard]] float scale() const noexcept { return scales.front(); }
  [[nodiscard]] std::int32_t zero_point() const noexcept { return zero_points.front(); }
  static Quantization per_tensor(float scale, std::int32_t zero_point) { return {{scale}, {zero_point}, -1}; }
  bool operator==(const Quantization&) const = default;
};

/// Number of elements of a shape. Throws Error(invalid_model) when an extent is negative or the product, or
/// its size in bytes at 8 bytes an element, overflows 63 bits.
std::int64_t element_count(std::span<const std::int64_t> shape);

/// "[1, 3, 224, 224]"
std::string shape_text(std::span<const std::int64_t> shape);

/// A typed, shaped view of memory that somebody else owns. Row-major, dense.
struct TensorView {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  const std::byte* data = nullptr;

  [[nodiscard]] std::int64_t elements() const { return element_count(shape); }
  [[nodiscard]] std::int64_t bytes() const { return elements() * dtype_bytes(dtype); }
  template <class T>
  [[nodiscard]] std::span<const T> as() const {
    return {reinterpret_cast<const T*>(data), static_cast<std::size_t>(elements())};
  }
};

/// A typed, shaped block of memory: row-major, dense, 64-byte aligned, owned. Copying copies the bytes.
class Tensor {
 public:
  Tensor() = default;
  /// Zero-filled.
  Tensor(DType dtype, std::vector<std::int64_t> shape);
  /// A copy of what `view` shows.
  explicit Tensor(const TensorView& view);
  Tensor(const Tensor& other);
  Tensor& operator=(const Tensor& other);
  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;
  ~Tensor() = default;

  [[nodiscard]] DType dtype() const noexcept { return dtype_; }
  [[nodiscard]] const std::vector<std::int64_t>& shape() const noexcept { return shape_; }
  [[nodiscard]] std::int64_t elements() const noexcept { return elements_; }
  [[nodiscard]] std::int64_t bytes() const noexcept { return elements_ * dtype_bytes(dtype_); }
  [[nodiscard]] std::byte* data() noexcept { return data_.get(); }
  [[nodiscard]] const std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] TensorView view() const { return {dtype_, shape_, data_.get()}; }

  /// The elements as T, whose size must be the dtype's.
  template <class T>
  [[nodiscard]] std::span<T> as() noexcept {
    return {reinterpret_cast<T*>(data_.get()), static_cast<std::size_t>(elements_)};
  }
  template <class T>
  [[nodiscard]] std::span<const T> as() const noexcept {
    return {reinterpret_cast<const T*>(data_.get()), static_cast<std::size_t>(elements_)};
  }

  /// The same bytes under another shape with the same number of elements; Error(invalid_argument) otherwise.
  [[nodiscard]] Tensor reshaped(std::vector<std::int64_t> shape) &&;

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept;
  };
  DType dtype_ = DType::f32;
  std::vector<std::int64_t> shape_;
  std::int64_t elements_ = 0;
  std::unique_ptr<std::byte[], Free> data_;
};

}  // namespace octavo
