#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cli/demo_shapes.h"
#include "package/package.h"

// Packages that earlier versions wrote: later ones must read them and get the same outputs. A new format gets
// a new file here, none is ever written anew. Made by `octavo compile` and `octavo tune` of the demo's
// network.

namespace octavo {
namespace {

std::vector<std::filesystem::path> golden_packages() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator("tests/compat")) {
    if (entry.path().extension() == ".tar") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

TEST(GoldenPackages, GiveTheOutputsThatTheyGaveWhenTheyWereMade) {
  const cli::ShapePictures pictures = cli::embedded_shape_pictures();
  ASSERT_GE(golden_packages().size(), 4U);
  for (const auto& path : golden_packages()) {
    const cli::ShapeScores scores = cli::score_shapes(Package::open(path), pictures, 1);
    EXPECT_TRUE(std::ranges::equal(scores.logits.as<float>(), pictures.recorded_logits.as<float>())) << path;
  }
}

class SavedAgain : public ::testing::Test {
 protected:
  std::filesystem::path copy_ =
      std::filesystem::temp_directory_path() / ("octavo_golden." + std::to_string(getpid()));
  ~SavedAgain() override { std::filesystem::remove(copy_); }
};

TEST_F(SavedAgain, GoldenPackagesKeepTheirPlansAndWeights) {
  for (const auto& path : golden_packages()) {
    const Package before = Package::open(path);
    before.save(copy_);
    const Package after = Package::open(copy_);
    EXPECT_EQ(plan_json(before.data().plan), plan_json(after.data().plan)) << path;
    ASSERT_EQ(before.data().weights.size(), after.data().weights.size()) << path;
    for (std::size_t i = 0; i < before.data().weights.size(); ++i) {
      const TensorView a = before.data().weights[i], b = after.data().weights[i];
      ASSERT_EQ(a.bytes(), b.bytes()) << path;
      EXPECT_TRUE(std::equal(a.data, a.data + a.bytes(), b.data)) << path << ", weights " << i;
    }
  }
}

TEST_F(SavedAgain, TheNewestGoldenPackageHasTheSameBytes) {
  const std::filesystem::path newest = "tests/compat/shapes_scales_in_hex_0.1.0.tar";
  Package::open(newest).save(copy_);
  const MappedFile before(newest), after(copy_);
  EXPECT_TRUE(std::ranges::equal(before.bytes(), after.bytes()));
}

TEST(GoldenPackages, KeepTheirTuning) {
  const Package package = Package::open("tests/compat/shapes_tuned_0.1.0.tar");
  ASSERT_TRUE(package.data().plan.tuning);
  EXPECT_EQ(package.data().plan.tuning->isa, "amx_int8");
  EXPECT_GT(package.data().plan.steps.front().measured_us, 0);
  const Tuning passes = *Package::open("tests/compat/shapes_tuned_passes_0.1.0.tar").data().plan.tuning;
  EXPECT_EQ(passes.instances, 2);
  EXPECT_EQ(passes.threads, 2);
}

}  // namespace
}  // namespace octavo
