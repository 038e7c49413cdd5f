#include "compiler/import/dlrm/variants.h"

#include <algorithm>
#include <array>

#include "base/fail.h"

namespace octavo {
namespace {

DlrmModel model_of(std::string_view name, std::vector<std::int64_t> bottom, std::vector<std::int64_t> top,
                   std::initializer_list<std::int64_t> rows) {
  DlrmModel model;
  model.name = name;
  model.dense_features = 13;
  model.dim = bottom.back();
  model.bottom = std::move(bottom);
  model.top = std::move(top);
  for (std::int64_t count : rows) model.tables.push_back({.rows = count});
  return model;
}

DlrmModel model_40m() {
  return model_of(
      "dlrm_40m", {512, 256, 128}, {1024, 1024, 512, 256, 1},
      {39884406, 39043, 17289, 7420, 20263, 3,  7120,     1543,     63,       38532951, 2953546, 403346, 10,
       2208,     11938, 155,   4,    976,   14, 39979771, 25641295, 39664984, 585935,   12972,   108,    36});
}

DlrmModel model_10m() {
  return model_of(
      "dlrm_10m", {512, 256, 64}, {512, 512, 256, 1},
      {9980333, 36084, 17217, 7378, 20134, 3,  7112,    1442,    61,      9758201, 1333352, 313829, 10,
       2208,    11156, 122,   4,    970,   14, 9994222, 7267859, 9946608, 415421,  12420,   101,    36});
}

DlrmModel model_kaggle() {
  return model_of(
      "dlrm_kaggle", {512, 256, 64, 16}, {512, 256, 1},
      {1460, 583,   10131227, 2202608, 305,  24,   12517, 633,     3,  93145, 5683,   8351593, 3194,
       27,   14992, 5461306,  10,      5652, 2173, 4,     7046547, 18, 15,    286181, 105,     142572});
}

constexpr std::array<DlrmVariant, 3> kVariants{
    {{"40m", "MLPerf's DLRM, Criteo Terabyte, 187,767,399 rows x 128, 96 GB", model_40m,
      "https://dlrm.s3-us-west-1.amazonaws.com/models/tb00_40M.pt", "2d49a5288cddb37c3c64860a06d79bb9",
      "CC-BY-NC"},
     {"10m", "the smaller one for debugging, 49,126,297 rows x 64, 12.6 GB", model_10m,
      "https://dlrm.s3-us-west-1.amazonaws.com/models/tb0875_10M.pt", "b7cacffcf75f767faa9cb2af397723aa",
      "CC-BY-NC"},
     {"kaggle", "Criteo Kaggle, 33,762,577 rows x 16, 2.2 GB; no checkpoint is published", model_kaggle, "",
      "", ""}}};

}  // namespace

std::span<const DlrmVariant> dlrm_variants() noexcept { return kVariants; }

const DlrmVariant& find_dlrm_variant(std::string_view name) {
  const auto* const found = std::find_if(kVariants.begin(), kVariants.end(),
                                         [&](const DlrmVariant& variant) { return variant.name == name; });
  if (found == kVariants.end()) {
    fail(ErrorCode::invalid_argument, "unknown variant '{}', expected 40m, 10m or kaggle", name);
  }
  return *found;
}

}  // namespace octavo
