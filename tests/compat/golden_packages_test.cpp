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
  ASSERT_GE(golden_packages().size(), 2U);
  for (const auto& path : golden_packages()) {
    const cli::ShapeScores scores = cli::score_shapes(Package::open(path), pictures, 1);
    EXPECT_TRUE(std::ranges::equal(scores.logits.as<float>(), pictures.recorded_logits.as<float>())) << path;
  }
}

TEST(GoldenPackages, AreWrittenAgainAsTheyWere) {
  const std::filesystem::path copy =
      std::filesystem::temp_directory_path() / ("octavo_golden." + std::to_string(getpid()));
  for (const auto& path : golden_packages()) {
    Package::open(path).save(copy);
    const MappedFile before(path), after(copy);
    EXPECT_TRUE(std::ranges::equal(before.bytes(), after.bytes())) << path;
    std::filesystem::remove(copy);
  }
}

TEST(GoldenPackages, KeepTheirTuning) {
  const Package package = Package::open("tests/compat/shapes_tuned_0.1.0.tar");
  ASSERT_TRUE(package.data().plan.tuning);
  EXPECT_EQ(package.data().plan.tuning->isa, "amx_int8");
  EXPECT_GT(package.data().plan.steps.front().measured_us, 0);
}

}  // namespace
}  // namespace octavo
