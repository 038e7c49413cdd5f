#include "compiler/import/torchscript/reshape.h"

#include "base/fail.h"

namespace octavo::torchscript {
namespace {

constexpr std::size_t kNone = SIZE_MAX;

struct Wanted {
  Shape shape;               ///< -1 stands as 1
  std::size_t free = kNone;  ///< where the -1 was
};

Wanted read(const List& list) {
  Wanted wanted;
  for (const Value& item : list.items) {
    if (const auto* dim = std::get_if<Dim>(&item)) {
      wanted.shape.push_back(*dim);
      continue;
    }
    const std::int64_t extent = as_integer(item, "an extent");
    if (extent == -1 && wanted.free == kNone) {
      wanted.free = wanted.shape.size();
      wanted.shape.push_back({1, false});
    } else if (extent < 0) {
      fail(ErrorCode::invalid_model, "extent {} of a reshape", extent);
    } else {
      wanted.shape.push_back({extent, false});
    }
  }
  return wanted;
}

/// Sets the free extent so that the shape has `count` elements; false when that does not come out even.
bool fill(Wanted& wanted, std::int64_t count) {
  const std::int64_t others = element_count(wanted.shape).count;
  if (wanted.free == kNone) return others == count;
  if (others == 0 || count % others != 0) return false;
  wanted.shape[wanted.free].count = count / others;
  return true;
}

}  // namespace

Shape reshaped_shape(const Shape& from, const List& list) {
  const Dim total = element_count(from);
  Wanted wanted = read(list);
  if (!total.per_image || is_per_image(wanted.shape)) {
    if (fill(wanted, total.count)) return wanted.shape;
  } else if (!wanted.shape.empty()) {
    Wanted without_literal = wanted;
    without_literal.shape[0] = Dim::batch();
    if (wanted.free != 0 && fill(without_literal, total.count)) return without_literal.shape;
    wanted.shape[0].per_image = true;
    if (fill(wanted, total.count)) return wanted.shape;
  }
  fail(ErrorCode::invalid_model, "cannot reshape {} to {} (-1 shown as {})", shape_text(from),
       shape_text(wanted.shape), wanted.free == kNone ? "none" : "1");
}

}  // namespace octavo::torchscript
