#include "base/dim.h"

#include <algorithm>

#include "base/fail.h"
#include "octavo/tensor.h"

namespace octavo {

Shape fixed_shape(std::span<const std::int64_t> extents) {
  Shape shape;
  for (std::int64_t extent : extents) shape.push_back({extent, false});
  return shape;
}

std::vector<std::int64_t> extents_at(const Shape& shape, std::int64_t batch_size) {
  std::vector<std::int64_t> extents;
  for (Dim dim : shape) extents.push_back(dim.at(batch_size));
  return extents;
}

Dim element_count(const Shape& shape) {
  const auto batched = std::count_if(shape.begin(), shape.end(), [](Dim dim) { return dim.per_image; });
  if (batched > 1)
    fail(ErrorCode::invalid_model, "shape {} grows with the batch in two places", shape_text(shape));
  return {element_count(extents_at(shape, 1)), batched == 1};
}

bool is_per_image(const Shape& shape) noexcept {
  return std::any_of(shape.begin(), shape.end(), [](Dim dim) { return dim.per_image; });
}

std::string dim_text(Dim dim) {
  if (!dim.per_image) return std::to_string(dim.count);
  return dim.count == 1 ? "N" : std::to_string(dim.count) + "N";
}

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? "," : "") + dim_text(shape[i]);
  return text + "]";
}

}  // namespace octavo
