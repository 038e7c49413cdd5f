#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/preprocess.h"
#include "octavo/tensor.h"

namespace octavo::cli {

/// Pictures made into a network's inputs, in the order of their names.
struct Pictures {
  std::vector<std::string> names;
  std::vector<std::optional<std::int64_t>> labels;
  Tensor inputs;  ///< f32 [pictures, 3, height, width]
  std::vector<std::string>
      problems;  ///< one line for each picture that could not be read; it is left out above

  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(names.size()); }
  /// The inputs of pictures first .. first + count.
  [[nodiscard]] TensorView view(std::int64_t first, std::int64_t count) const;
};

/// Pictures given by path: files, or one folder or archive of them, in the order given.
Dataset pictures_at(const std::vector<std::string>& paths);

/// Decodes and preprocesses all pictures of `dataset` with `threads` threads. `shape` is channels, height,
/// width.
Pictures load_pictures(const Dataset& dataset, const Recipe& recipe, std::span<const std::int64_t> shape,
                       int threads);

}  // namespace octavo::cli
