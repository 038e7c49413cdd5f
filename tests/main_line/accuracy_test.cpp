#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "data/npz.h"

// accuracy.json against the recorded logits beside it. Logits of quantized networks have ties, which whoever
// counted broke in no particular order: the recorded share lies between that with all ties lost and that with
// all ties won.

namespace octavo {
namespace {

std::filesystem::path data_folder() {
  const char* data = std::getenv("OCTAVO_TEST_DATA");
  return data == nullptr ? "../shared/data" : data;
}

struct Bounds {
  double least = 0;
  double most = 0;
};

/// The share of rows whose labelled class is among the `places` best, ties lost and won.
Bounds share_of(const Tensor& logits, std::span<const std::int64_t> labels, std::int64_t places) {
  const auto classes = static_cast<std::size_t>(logits.shape()[1]);
  Bounds hits;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.as<float>().subspan(i * classes, classes);
    const float own = row[static_cast<std::size_t>(labels[i])];
    const auto larger = std::count_if(row.begin(), row.end(), [&](float v) { return v > own; });
    const auto equal = std::count(row.begin(), row.end(), own);
    hits.least += larger + equal <= places ? 1 : 0;
    hits.most += larger < places ? 1 : 0;
  }
  const auto rows = static_cast<double>(labels.size());
  return {hits.least / rows, hits.most / rows};
}

TEST(RecordedAccuracy, LiesBetweenTiesLostAndTiesWon) {
  std::ifstream file(data_folder() / "reference/accuracy.json");
  if (!file) GTEST_SKIP() << "NO TEST DATA: " << data_folder() << "; set OCTAVO_TEST_DATA";
  const nlohmann::json recorded_shares = nlohmann::json::parse(file);
  for (const auto& [name, recorded] : recorded_shares.items()) {
    const NpzReader reference(data_folder() / "reference" / (name + ".npz"));
    const Tensor logits = reference.tensor("logits");
    const Tensor labels = reference.tensor("label");
    std::vector<std::int64_t> classes;
    if (labels.dtype() == DType::u8) {
      classes.assign(labels.as<std::uint8_t>().begin(), labels.as<std::uint8_t>().end());
    } else {
      ASSERT_EQ(labels.dtype(), DType::s64) << name;
      classes.assign(labels.as<std::int64_t>().begin(), labels.as<std::int64_t>().end());
    }
    for (const auto& [key, places] : {std::pair{"top1", 1}, {"top5", 5}}) {
      if (!recorded.contains(key)) continue;
      const Bounds bounds = share_of(logits, classes, places);
      const double share = recorded.at(key).get<double>();
      EXPECT_GE(share, bounds.least - 1e-9) << name << " " << key;
      EXPECT_LE(share, bounds.most + 1e-9) << name << " " << key;
    }
  }
}

}  // namespace
}  // namespace octavo
