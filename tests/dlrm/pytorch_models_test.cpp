#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <tuple>

#include "cli/dlrm_model.h"

namespace octavo::cli {
namespace {

/// Models and outputs that tools/make_dlrm_fixtures.py made with PyTorch: interaction, form of the model,
/// data.
using Case = std::tuple<std::string, std::string, std::string>;

class PyTorchDlrm : public ::testing::TestWithParam<Case> {};

TEST_P(PyTorchDlrm, IsScoredAsPyTorchDoesWithinRounding) {
  const std::filesystem::path folder = "tests/golden/dlrm";
  const auto& [interaction, form, data] = GetParam();
  const std::string path = (folder / (interaction + form)).string();
  ASSERT_TRUE(is_dlrm(path)) << path;
  DlrmOptions options;
  options.data = (folder / (interaction + data)).string();
  const Dlrm model = options.open(path, {});
  DlrmSession session(model);
  const ScoredClicks scored = score_clicks(session, *options.open_data(shape_of(model)));
  ASSERT_EQ(scored.scores.size(), 20U);
  for (std::size_t i = 0; i < scored.scores.size(); ++i) {
    EXPECT_NEAR(scored.scores[i], scored.reference.at(i), 1e-5 * scored.reference.at(i)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryForm, PyTorchDlrm,
                         ::testing::Combine(::testing::Values("dot", "dot_with_self", "cat"),
                                            ::testing::Values(".pt", "_bags.onnx", "_rows.onnx"),
                                            ::testing::Values("_rows.npz", "_bags.npz")));

}  // namespace
}  // namespace octavo::cli
