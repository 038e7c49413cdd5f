#include <gtest/gtest.h>

#include <cstring>

#include "base/cpu.h"
#include "base/testing.h"
#include "compiler/compile_graph.h"
#include "compiler/import/synthetic/resnet50.h"
#include "configs.h"
#include "octavo/compile.h"
#include "octavo/error.h"

namespace octavo {
namespace {

struct Run {
  std::vector<float> scores;
  std::size_t step_runs = 0;  ///< of the first thread: a step in bands has several
};

Run run(const Package& package, std::int64_t row_bands, int threads) {
  SessionOptions options;
  options.threads = threads;
  options.pass.row_bands = row_bands;
  Session session(package, options);
  const Tensor picture = noise(package, 1);
  session.set_input(package.inputs()[0].name, picture.view());
  Run result;
  for (const StepEvent& event : session.run_traced()) result.step_runs += event.thread == 0 ? 1 : 0;
  const auto scores = session.output().as<float>();
  result.scores.assign(scores.begin(), scores.end());
  return result;
}

void expect_bands_change_nothing(const Package& package, const std::vector<std::int64_t>& numbers,
                                 int most_threads) {
  const Run whole = run(package, 1, 1);
  for (std::int64_t bands : numbers) {
    for (int threads = 1; threads <= most_threads; ++threads) {
      const Run banded = run(package, bands, threads);
      ASSERT_EQ(banded.scores.size(), whole.scores.size());
      EXPECT_EQ(std::memcmp(banded.scores.data(), whole.scores.data(), 4 * whole.scores.size()), 0)
          << bands << " bands, " << threads << " threads";
      EXPECT_GT(banded.step_runs, whole.step_runs) << "no step went in bands";
    }
  }
}

TEST(RowBands, ChangeNothingInResNet50) {
  const Package package = compile_graph(synthetic_resnet50(), {}, {});
  expect_bands_change_nothing(package, {2, 5, 7, 14}, 3);
  for (const IsaFact& fact : cpu_facts().isas) {
    if (!fact.available || fact.isa < Isa::avx2) continue;  // the reference takes a minute a picture
    const Environment forced("OCTAVO_ISA", std::string(isa_name(fact.isa)));
    SCOPED_TRACE(isa_name(fact.isa));
    expect_bands_change_nothing(package, {7}, 1);
  }
}

TEST(RowBands, ChangeNothingInDepthwiseNetworks) {
  OCTAVO_NEED_TEST_DATA();
  for (const char* model : {"mobilenet_v2_int8_qnnpack.pt", "efficientnet_lite0_int8_qdq.onnx"})
    expect_bands_change_nothing(compile(testing::test_data() / model), {2, 5, 7, 14}, 3);
}

TEST(RowBands, AreNoFewerThanNone) {
  CompileOptions options;
  options.input_shapes[""] = {3, 32, 32};
  const Package package = compile("assets/demo/shapes_resnet.pt", options);
  EXPECT_THROW(run(package, -1, 1), Error);
  EXPECT_THROW(run(package, 4097, 1), Error);
  EXPECT_EQ(run(package, 4096, 1).step_runs, run(package, 1, 1).step_runs) << "more than there are rows";
}

}  // namespace
}  // namespace octavo
