#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "engine/kernels/family.h"

namespace octavo {

/// Which rows are asked for, by family: from SessionOptions::kernels or OCTAVO_KERNEL
/// ("conv2d:reference,linear:onednn").
class ForcedKernels {
 public:
  /// Error(invalid_argument) naming an unknown family or row.
  explicit ForcedKernels(std::string_view text);
  /// The row forced for `family`, or an empty text.
  [[nodiscard]] std::string_view row_for(std::string_view family) const noexcept;

 private:
  std::vector<std::pair<std::string, std::string>> rows_;
};

/// The row that will solve a problem, and why faster ones will not.
struct Choice {
  const FamilyRow* row = nullptr;
  std::vector<std::string> passed_over;  ///< "row: reason"
  std::vector<const FamilyRow*> others;  ///< that can solve it too, best first
};

/// The rows that `isa` can run and that can solve `problem`, best first: in the order of their table, but
/// rows that say that others are faster come after those, and the reference last. Without those that only a
/// request chooses: a ForcedKernels.
std::vector<const FamilyRow*> legal_rows(std::string_view problem, Isa isa);

/// A forced row where it is legal, else `hint` where it is legal, else the first of `legal_rows`.
/// Error(unsupported) with every row's reason when there is none.
Choice choose_kernel(std::string_view problem, std::string_view hint, const ForcedKernels& forced, Isa isa);

/// Goes on to the best other row after one that could not be prepared, for `reason`. False, and `choice` as
/// it was, when there is none.
bool pass_over(Choice& choice, std::string_view reason);

}  // namespace octavo
