#include "data/clicks/clicks.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "data/clicks/readers.h"

namespace octavo {
namespace {

constexpr std::string_view kGenerated = "zipf:";

/// Applies an IndexRule to what another reader gives.
class RuledClicks : public ClickReader {
 public:
  RuledClicks(std::unique_ptr<ClickReader> reader, std::vector<std::int64_t> divisors)
      : reader_(std::move(reader)), divisors_(std::move(divisors)) {}

  Clicks next(std::int64_t count) override {
    Clicks clicks = reader_->next(count);
    const auto samples = static_cast<std::size_t>(clicks.samples);
    const bool has_bags = !clicks.offsets.empty();
    for (std::size_t t = 0; t < divisors_.size() && samples > 0; ++t) {
      const std::size_t first = t * (samples + 1);
      const auto begin = has_bags ? static_cast<std::size_t>(clicks.offsets[first]) : t * samples;
      const auto end = has_bags ? static_cast<std::size_t>(clicks.offsets[first + samples]) : begin + samples;
      for (std::size_t i = begin; i < end; ++i)
        clicks.indices[i] = remainder(clicks.indices[i], divisors_[t]);
    }
    return clicks;
  }

 private:
  /// Of a negative number too it is from 0 on, as in Python.
  static std::int64_t remainder(std::int64_t value, std::int64_t divisor) noexcept {
    const std::int64_t r = value % divisor;
    return r < 0 ? r + divisor : r;
  }

  std::unique_ptr<ClickReader> reader_;
  std::vector<std::int64_t> divisors_;
};

std::unique_ptr<ClickReader> open_kind(const std::filesystem::path& place, const ClickShape& shape,
                                       bool& has_hashes) {
  const std::string text = place.string();
  if (text.starts_with(kGenerated)) {
    return open_generated_clicks(std::string_view(text).substr(kGenerated.size()), shape);
  }
  std::error_code error;
  const auto status = std::filesystem::status(place, error);
  if (!std::filesystem::exists(status)) {
    fail(ErrorCode::io, "cannot open '{}': no such file or folder", text);
  }
  if (std::filesystem::is_directory(status)) return open_demo_clicks(place, shape);
  if (place.extension() == ".bin") return open_binary_clicks(place, shape);
  if (place.extension() == ".npz") return open_npz_clicks(place, shape);
  has_hashes = true;
  return open_text_clicks(place, shape);
}

}  // namespace

float dense_feature(double raw) noexcept {
  return std::log(static_cast<float>(std::max(raw, 0.0)) + 1.0F);  // as DLRM's loader, to the last bit
}

std::unique_ptr<ClickReader> open_clicks(const std::filesystem::path& place, const ClickShape& shape,
                                         IndexRule rule) {
  bool has_hashes = false;
  auto reader = open_kind(place, shape, has_hashes);
  if (rule.kind == IndexRule::Kind::usual) {
    rule.kind = has_hashes ? IndexRule::Kind::rows : IndexRule::Kind::as_is;
  }
  if (rule.kind == IndexRule::Kind::as_is) return reader;
  std::vector<std::int64_t> divisors = shape.rows;
  if (rule.kind == IndexRule::Kind::divisor) {
    if (rule.divisor < 1) fail(ErrorCode::invalid_argument, "row numbers modulo {}", rule.divisor);
    divisors.assign(shape.rows.size(), rule.divisor);
  }
  return std::make_unique<RuledClicks>(std::move(reader), std::move(divisors));
}

}  // namespace octavo
