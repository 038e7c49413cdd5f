#include <algorithm>
#include <charconv>
#include <numeric>
#include <string>

#include "base/fail.h"
#include "base/random.h"
#include "data/clicks/readers.h"
#include "data/clicks/zipf.h"

namespace octavo {
namespace {

constexpr std::int64_t kMostSamples = std::int64_t{1} << 40U;
constexpr double kMostExponent = 10.0;

struct Recipe {
  std::int64_t samples = 0;
  double exponent = 1.05;  ///< about what Criteo's large tables show
  std::uint64_t seed = 1;
};

template <class T>
T parse(std::string_view text, std::string_view recipe) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail(ErrorCode::invalid_argument, "'zipf:{}': '{}' is no number", recipe, text);
  }
  return value;
}

Recipe parse_recipe(std::string_view text) {
  Recipe recipe;
  const std::size_t first = std::min(text.find(':'), text.size());
  const std::size_t second = std::min(text.find(':', first + 1), text.size());
  recipe.samples = parse<std::int64_t>(text.substr(0, first), text);
  if (first < text.size()) recipe.exponent = parse<double>(text.substr(first + 1, second - first - 1), text);
  if (second < text.size()) recipe.seed = parse<std::uint64_t>(text.substr(second + 1), text);
  if (recipe.samples < 0 || recipe.samples > kMostSamples) {
    fail(ErrorCode::invalid_argument, "'zipf:{}': {} samples", text, recipe.samples);
  }
  if (!(recipe.exponent >= 0.0 && recipe.exponent <= kMostExponent)) {
    fail(ErrorCode::invalid_argument, "'zipf:{}': exponent {}, expected 0 to {}", text, recipe.exponent,
         kMostExponent);
  }
  return recipe;
}

/// Spreads the frequent ranks of a table over its rows: rank -> rank * factor mod rows, one to one.
struct Spread {
  std::int64_t rows;
  std::int64_t factor;

  explicit Spread(std::int64_t table_rows) : rows(table_rows), factor(1) {
    constexpr double kGolden = 0.6180339887498949;
    factor = std::max<std::int64_t>(1, static_cast<std::int64_t>(kGolden * static_cast<double>(rows)));
    while (std::gcd(factor, rows) != 1) ++factor;
  }
  [[nodiscard]] std::int64_t row(std::int64_t rank) const {
    return static_cast<std::int64_t>(static_cast<unsigned __int128>(rank) *
                                     static_cast<unsigned __int128>(factor) %
                                     static_cast<unsigned __int128>(rows));
  }
};

/// The planted rule: the log odds of a click are the sum over tables and features of
///   table t, row r:      weight of (t, r), normal with deviation kRowWeight
///   dense feature x:     its own weight * (x - 2)
/// around an offset that makes clicks rare.
class GeneratedClicks : public ClickReader {
 public:
  GeneratedClicks(const Recipe& recipe, const ClickShape& shape)
      : samples_(recipe.samples),
        dense_features_(shape.dense_features),
        seed_(recipe.seed),
        random_(recipe.seed) {
    for (std::int64_t rows : shape.rows) {
      ranks_.emplace_back(rows, recipe.exponent);
      spreads_.emplace_back(rows);
    }
  }

  Clicks next(std::int64_t count) override {
    Clicks clicks;
    clicks.samples = std::min(count, samples_ - at_);
    const auto samples = static_cast<std::size_t>(clicks.samples);
    clicks.indices.resize(samples * ranks_.size());
    for (std::size_t s = 0; s < samples; ++s) add_sample(clicks, s);
    at_ += clicks.samples;
    return clicks;
  }

 private:
  static constexpr double kRowWeight = 0.3;
  static constexpr double kDenseWeight = 0.15;
  static constexpr double kOffset = -2.5;  // about 8 % clicks before the other terms, more with them

  /// A normal number that (seed, place, number) determines.
  [[nodiscard]] double planted(std::uint64_t place, std::uint64_t number) const noexcept {
    return Random(mixed(mixed(seed_ ^ 0x706c616e74U) + place) + number).normal();
  }

  void add_sample(Clicks& clicks, std::size_t s) {
    const auto samples = static_cast<std::size_t>(clicks.samples);
    double log_odds = kOffset;
    for (std::int64_t d = 0; d < dense_features_; ++d) {
      const double feature = std::fabs(2.0 + 1.5 * random_.normal());  // as ln(1 + x) of counts lies
      clicks.dense.push_back(static_cast<float>(feature));
      log_odds += kDenseWeight * planted(~std::uint64_t{0}, static_cast<std::uint64_t>(d)) * (feature - 2.0);
    }
    for (std::size_t t = 0; t < ranks_.size(); ++t) {
      const std::int64_t row = spreads_[t].row(ranks_[t].draw(random_));
      clicks.indices[t * samples + s] = row;
      log_odds += kRowWeight * planted(t, static_cast<std::uint64_t>(row));
    }
    clicks.labels.push_back(random_.uniform() < 1.0 / (1.0 + std::exp(-log_odds)) ? 1.0F : 0.0F);
  }

  std::int64_t samples_;
  std::int64_t dense_features_;
  std::uint64_t seed_;
  Random random_;
  std::vector<Zipf> ranks_;
  std::vector<Spread> spreads_;
  std::int64_t at_ = 0;
};

}  // namespace

std::unique_ptr<ClickReader> open_generated_clicks(std::string_view recipe, const ClickShape& shape) {
  return std::make_unique<GeneratedClicks>(parse_recipe(recipe), shape);
}

}  // namespace octavo
