#include "cli/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "base/fail.h"
#include "cli/scoring.h"
#include "data/npz.h"

namespace octavo::cli {
namespace {

double difference(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0.0 : INFINITY;
  return std::abs(static_cast<double>(a) - static_cast<double>(b));
}

template <class T>
void compare_as(Comparison& result, const TensorView& ours, const TensorView& theirs) {
  const auto a = ours.as<T>();
  const auto b = theirs.as<T>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    result.equal += std::memcmp(&a[i], &b[i], sizeof(T)) == 0 ? 1 : 0;
    result.max_abs = std::max(result.max_abs, difference(static_cast<float>(a[i]), static_cast<float>(b[i])));
  }
}

/// The reference's rows in the order of `names`.
Tensor rows_by_name(const Reference& reference, const std::vector<std::string>& names) {
  std::map<std::string, std::int64_t> rows;
  for (std::size_t i = 0; i < reference.names.size(); ++i)
    rows[reference.names[i]] = static_cast<std::int64_t>(i);
  const std::int64_t classes = reference.logits.shape()[1];
  Tensor chosen(DType::f32, {static_cast<std::int64_t>(names.size()), classes});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = rows.find(names[i]);
    if (found == rows.end())
      fail(ErrorCode::invalid_argument, "the reference has no row for picture '{}'", names[i]);
    const auto row = row_of(reference.logits, found->second);
    std::memcpy(chosen.data() + static_cast<std::int64_t>(i) * classes * 4, row.data(), row.size_bytes());
  }
  return chosen;
}

bool holds(const Verdict& v, const Expectation& expectation) {
  switch (expectation.kind) {
    case Expectation::Kind::equal:
      return v.comparison.equal == v.comparison.values;
    case Expectation::Kind::close:
      return v.comparison.max_abs <= expectation.tolerance;
    case Expectation::Kind::top1:
      return v.ours.labelled > 0 &&
             std::abs(v.ours.top1_share() - v.theirs.top1_share()) <= expectation.tolerance + 1e-12;
    case Expectation::Kind::report:
      return true;
  }
  return false;
}

}  // namespace

Comparison compare(const TensorView& ours, const TensorView& theirs) {
  if (ours.dtype != theirs.dtype || ours.shape != theirs.shape) {
    fail(ErrorCode::invalid_argument, "the output is {}{}, the reference {}{}", dtype_name(ours.dtype),
         shape_text(ours.shape), dtype_name(theirs.dtype), shape_text(theirs.shape));
  }
  Comparison result;
  result.values = ours.elements();
  switch (ours.dtype) {
    case DType::f32:
      compare_as<float>(result, ours, theirs);
      break;
    case DType::u8:
      compare_as<std::uint8_t>(result, ours, theirs);
      break;
    case DType::s8:
      compare_as<std::int8_t>(result, ours, theirs);
      break;
    default:
      fail(ErrorCode::unsupported, "comparing {}", dtype_name(ours.dtype));
  }
  return result;
}

Accuracy accuracy_of(const Tensor& scores, const std::vector<std::optional<std::int64_t>>& labels,
                     std::int64_t class_offset) {
  Accuracy accuracy;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!labels[i]) continue;
    const auto best = top_classes(row_of(scores, static_cast<std::int64_t>(i)), 5);
    const std::int64_t wanted = *labels[i] + class_offset;
    ++accuracy.labelled;
    accuracy.top1 += !best.empty() && best[0] == wanted ? 1 : 0;
    accuracy.top5 += std::count(best.begin(), best.end(), wanted);
  }
  return accuracy;
}

std::int64_t same_best(const Tensor& ours, const Tensor& theirs) {
  std::int64_t same = 0;
  for (std::int64_t i = 0; i < ours.shape()[0]; ++i) {
    same += top_classes(row_of(ours, i), 1) == top_classes(row_of(theirs, i), 1) ? 1 : 0;
  }
  return same;
}

Reference read_reference(const std::filesystem::path& path) {
  const NpzReader file(path);
  Reference reference;
  reference.logits = file.tensor("logits");
  if (reference.logits.dtype() != DType::f32 || reference.logits.shape().size() != 2) {
    fail(ErrorCode::invalid_model, "{}: 'logits' is {}{}, expected f32 with a row a picture", path.string(),
         dtype_name(reference.logits.dtype()), shape_text(reference.logits.shape()));
  }
  const auto rows = static_cast<std::size_t>(reference.logits.shape()[0]);
  if (file.contains("photo")) reference.names = file.strings("photo");
  if (!reference.names.empty() && reference.names.size() != rows) {
    fail(ErrorCode::invalid_model, "{}: {} names for {} rows", path.string(), reference.names.size(), rows);
  }
  return reference;
}

Verdict judge(const Pictures& pictures, const Tensor& scores, const Reference& reference,
              const Expectation& expectation, std::int64_t class_offset, double quantum) {
  const Tensor theirs =
      reference.names.empty() ? Tensor(reference.logits) : rows_by_name(reference, pictures.names);
  Verdict verdict;
  verdict.pictures = pictures.count();
  verdict.comparison = compare(scores.view(), theirs.view());
  verdict.same_top1 = same_best(scores, theirs);
  verdict.ours = accuracy_of(scores, pictures.labels, class_offset);
  verdict.theirs = accuracy_of(theirs, pictures.labels, class_offset);
  verdict.quantum = quantum;
  verdict.holds = pictures.problems.empty() && holds(verdict, expectation);
  return verdict;
}

std::string verdict_text(const Verdict& v) {
  std::string text = fmt::format("{} pictures, {}/{} equal, max diff {:.4g}", v.pictures, v.comparison.equal,
                                 v.comparison.values, v.comparison.max_abs);
  if (v.quantum > 0.0) text += fmt::format(" ({:.0f} quanta)", v.comparison.max_abs / v.quantum);
  text += fmt::format(", same top-1 {}/{}", v.same_top1, v.pictures);
  if (v.ours.labelled > 0) {
    text += fmt::format(", top-1 {:.2f} % (reference {:.2f} %), top-5 {:.2f} % ({:.2f} %)",
                        100 * v.ours.top1_share(), 100 * v.theirs.top1_share(), 100 * v.ours.top5_share(),
                        100 * v.theirs.top5_share());
  }
  return text + (v.holds ? ", as expected" : ", NOT AS EXPECTED");
}

}  // namespace octavo::cli
