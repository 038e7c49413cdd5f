#include "configs.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <functional>

#include "base/cpu.h"
#include "base/testing.h"
#include "compiler/passes/passes.h"
#include "data/npz.h"
#include "engine/kernels/family.h"
#include "octavo/compile.h"

// The outputs of a quantized model depend on nothing but the model and its inputs.

namespace octavo {
namespace {

constexpr std::int64_t kPictures = 64;

/// The scores of all pictures, `batch` at a time.
std::vector<float> scores(const Package& package, const Tensor& pictures, std::int64_t batch,
                          const SessionOptions& options) {
  Session session(package, options);
  const std::int64_t each = pictures.elements() / pictures.shape()[0];
  std::vector<float> all;
  for (std::int64_t first = 0; first < pictures.shape()[0]; first += batch) {
    std::vector<std::int64_t> shape = pictures.shape();
    shape[0] = std::min(batch, pictures.shape()[0] - first);
    session.set_input(package.inputs()[0].name, {DType::f32, shape, pictures.data() + first * each * 4});
    session.run();
    const auto row = session.output().as<float>();
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

SessionOptions session_options(int threads, std::int64_t images_per_pass, std::string kernels = "") {
  SessionOptions options;
  options.threads = threads;
  options.pass.images = images_per_pass;
  options.kernels = std::move(kernels);
  return options;
}

std::string all_reference() {
  std::string text;
  for (const KernelFamily& family : kernel_families()) {
    text += (text.empty() ? "" : ",") + std::string(family.name) + ":reference";
  }
  return text;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Every quantized model of the project, and one of the test data where that is there.
std::vector<std::filesystem::path> models() {
  std::vector<std::filesystem::path> paths{"assets/demo/shapes_resnet.pt"};
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("tests/golden/torchscript", none)) {
    if (entry.path().extension() == ".pt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  const std::filesystem::path cifar = testing::test_data() / "cifar10_resnet20_int8_traced.pt";
  if (std::filesystem::exists(cifar)) paths.push_back(cifar);
  return paths;
}

CompileOptions compile_options(const std::filesystem::path& model,
                               std::set<std::string, std::less<>> disabled = {}) {
  CompileOptions options;
  options.disabled_passes = std::move(disabled);
  // The fixtures do not say how large their pictures are: what was recorded beside them was.
  const std::filesystem::path recorded = std::filesystem::path(model).replace_extension(".npz");
  if (model.stem().string().starts_with("cifar")) options.input_shapes[""] = {3, 32, 32};
  if (std::filesystem::exists(recorded)) {
    const std::vector<std::int64_t> shape = NpzReader(recorded).tensor("x").shape();
    options.input_shapes[""] = {shape.begin() + 1, shape.end()};
  }
  return options;
}

class Configs : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  void SetUp() override {
    pictures_ = noise(package_, kPictures);
    expected_ = scores(package_, pictures_, 8, session_options(1, 0));
  }
  /// Of the first pictures, since slow kernels take part.
  void expect_the_same_few(const SessionOptions& options, const std::string& what) const {
    const auto got = scores(package_, noise(package_, 2), 2, options);
    const std::vector<float> first(expected_.begin(),
                                   expected_.begin() + static_cast<std::ptrdiff_t>(got.size()));
    EXPECT_TRUE(same_bits(got, first)) << GetParam() << " depends on " << what;
  }
  void expect_the_same(const std::vector<float>& got, const std::string& what) const {
    EXPECT_TRUE(same_bits(got, expected_)) << GetParam() << " depends on " << what;
  }

  Package package_ = compile(GetParam(), compile_options(GetParam()));
  Tensor pictures_;
  std::vector<float> expected_;
};

TEST_P(Configs, OutputsDoNotDependOnBatchSizeThreadsOrPasses) {
  for (std::int64_t batch : {1, 2, 3, 7, 64}) {
    expect_the_same(scores(package_, pictures_, batch, session_options(2, 0)),
                    "batch " + std::to_string(batch));
  }
  for (int threads = 1; threads <= 3; ++threads) {
    expect_the_same(scores(package_, pictures_, 7, session_options(threads, 0)),
                    std::to_string(threads) + " threads");
  }
  for (std::int64_t images : {1, 3, 8}) {
    expect_the_same(scores(package_, pictures_, 64, session_options(2, images)),
                    std::to_string(images) + " images per pass");
  }
  SessionOptions keeps_layout = session_options(2, 0);
  keeps_layout.pass.keeps_layout = true;
  expect_the_same(scores(package_, pictures_, 8, keeps_layout), "whether layouts are kept");
}

TEST_P(Configs, OutputsDoNotDependOnTheInstructionSet) {
  for (const IsaFact& fact : cpu_facts().isas) {
    if (!fact.available) continue;
    const Environment forced("OCTAVO_ISA", std::string(isa_name(fact.isa)));
    expect_the_same_few(session_options(1, 0), std::string(isa_name(fact.isa)));
  }
}

TEST_P(Configs, OutputsDoNotDependOnThePassesOfTheCompiler) {
  std::set<std::string, std::less<>> optional;
  for (const PassDef& pass : all_passes()) {
    if (!pass.is_optional) continue;
    optional.emplace(pass.name);
    const Package other = compile(GetParam(), compile_options(GetParam(), {std::string(pass.name)}));
    expect_the_same(scores(other, pictures_, 8, session_options(1, 0)), std::string(pass.name));
  }
  const Package other = compile(GetParam(), compile_options(GetParam(), optional));
  expect_the_same(scores(other, pictures_, 8, session_options(1, 0)), "all optional passes together");
}

TEST_P(Configs, OutputsAreThoseOfTheReferenceKernels) {
  const SessionOptions reference = session_options(1, 0, all_reference());
  for (const StepInfo& step : Session(package_, reference).steps()) EXPECT_EQ(step.kernel, "reference");
  expect_the_same_few(reference, "kernels that are not the reference");
}

TEST_P(Configs, OutputsSurviveTheFileOfThePackage) {
  const auto path = std::filesystem::temp_directory_path() / ("octavo_configs." + std::to_string(getpid()));
  package_.save(path);
  expect_the_same(scores(Package::open(path), pictures_, 8, session_options(1, 0)),
                  "being written to a file");
  std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(Models, Configs, ::testing::ValuesIn(models()),
                         [](const auto& model) { return model.param.stem().string(); });

TEST(ModelsOfTheTestData, HaveNoStepThatOnlyTheReferenceCanDoSlow) {
  OCTAVO_NEED_TEST_DATA();
  if (!cpu_facts().has(Isa::avx2)) GTEST_SKIP() << "SKIPPED: faster rows need AVX2";
  for (const auto& entry : std::filesystem::directory_iterator(testing::test_data())) {
    const std::filesystem::path& model = entry.path();
    if (model.extension() != ".pt" && model.extension() != ".onnx") continue;
    for (const StepInfo& step : Session(compile(model)).steps()) {
      EXPECT_NE(step.kernel, "reference") << model.filename() << ": " << step.problem;
    }
  }
}

TEST(ForcedIsa, MustBeOneThatThereIs) {
  const Environment forced("OCTAVO_ISA", "avx9000");
  EXPECT_THROW(Session(compile("assets/demo/shapes_resnet.pt")), Error);
}

}  // namespace
}  // namespace octavo
