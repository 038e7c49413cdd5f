#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/pictures.h"
#include "octavo/tensor.h"

namespace octavo::cli {

/// How two tensors of the same shape compare, value by value.
struct Comparison {
  std::int64_t values = 0;
  std::int64_t equal = 0;  ///< bit for bit
  double max_abs = 0.0;    ///< NaN against a number counts as infinite
};

/// Error(invalid_argument) when shapes or dtypes differ.
Comparison compare(const TensorView& ours, const TensorView& theirs);

/// How often the right class is among the best. `class_offset` is added to a label to get its output.
struct Accuracy {
  std::int64_t labelled = 0;
  std::int64_t top1 = 0;
  std::int64_t top5 = 0;
  [[nodiscard]] double top1_share() const { return share(top1); }
  [[nodiscard]] double top5_share() const { return share(top5); }

 private:
  [[nodiscard]] double share(std::int64_t hits) const {
    return labelled == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(labelled);
  }
};
Accuracy accuracy_of(const Tensor& scores, const std::vector<std::optional<std::int64_t>>& labels,
                     std::int64_t class_offset);

/// In how many rows the best class is the same.
std::int64_t same_best(const Tensor& ours, const Tensor& theirs);

/// Recorded outputs: `logits` f32 [n, classes] and, when the file has them, the pictures' names (`photo`) and
/// `label`.
struct Reference {
  Tensor logits;
  std::vector<std::string> names;
  std::vector<std::optional<std::int64_t>> labels;
};
Reference read_reference(const std::filesystem::path& path);

/// What is asked of a model's outputs.
struct Expectation {
  enum class Kind { equal, close, top1, report };
  Kind kind = Kind::report;
  double tolerance = 0.0;  ///< close: the largest difference; top1: of the accuracy
};

/// A model's outputs held against a reference.
struct Verdict {
  Comparison comparison;
  std::int64_t pictures = 0;
  std::int64_t same_top1 = 0;
  Accuracy ours;
  Accuracy theirs;
  double quantum = 0.0;
  bool holds = true;
};

/// Compares scores of pictures with a reference's rows (by name where it has names, else in order).
/// Error(invalid_argument) when they do not belong together.
Verdict judge(const Pictures& pictures, const Tensor& scores, const Reference& reference,
              const Expectation& expectation, std::int64_t class_offset, double quantum);

/// "200 pictures, 200000/200000 equal, max diff 0 (0 quanta), top-1 78.50 % (reference 78.50 %), as expected"
std::string verdict_text(const Verdict& verdict);

}  // namespace octavo::cli
