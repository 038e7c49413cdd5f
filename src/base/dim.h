#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace octavo {

/// One extent of a shape that may grow with the batch: `count` when fixed, `count * N` when `per_image`,
/// where N is the batch size, known only at run time. Prints as "7", "N", "4N".
struct Dim {
  std::int64_t count = 0;
  bool per_image = false;

  static constexpr Dim batch() { return {1, true}; }
  [[nodiscard]] std::int64_t at(std::int64_t batch_size) const noexcept {
    return per_image ? count * batch_size : count;
  }
  bool operator==(const Dim&) const = default;
};

/// At most one extent of a Shape is per_image; in the plan it is always the first.
using Shape = std::vector<Dim>;

/// Fixed extents as a Shape.
Shape fixed_shape(std::span<const std::int64_t> extents);
/// The extents at the given batch size.
std::vector<std::int64_t> extents_at(const Shape& shape, std::int64_t batch_size);
/// The number of elements as one Dim; Error(invalid_model) on overflow or two per_image extents.
Dim element_count(const Shape& shape);
/// Whether any extent grows with the batch.
bool is_per_image(const Shape& shape) noexcept;
/// "N" or "3" ...
std::string dim_text(Dim dim);
/// "[N,3,224,224]"
std::string shape_text(const Shape& shape);

}  // namespace octavo
