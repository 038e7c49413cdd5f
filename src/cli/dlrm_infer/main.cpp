// dlrm_infer SO JSON WEIGHTS TESTDATA: the demo's program, with its command line. Scores TESTDATA in batches
// of 128, prints times and errors, and says PASS or FAIL.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/fail.h"
#include "bench/histogram.h"
#include "cli/dlrm_model.h"
#include "cli/verbs.h"

namespace octavo::cli {
namespace {

constexpr int kFailure = 1;
constexpr int kUsage = 2;

struct Options {
  std::string library;
  std::string graph;
  std::string weights;
  DlrmOptions dlrm;
  RunOptions run;
  double seconds = 1.0;
  double tolerance = 1e-5;
};

/// All samples, cut into batches that a session can be given again and again.
std::vector<Clicks> read_batches(ClickReader& data, std::int64_t batch) {
  std::vector<Clicks> batches;
  for (;;) {
    Clicks clicks = data.next(batch);
    if (clicks.samples == 0) break;
    if (clicks.reference.empty())
      fail(ErrorCode::invalid_argument, "the test data have no reference outputs");
    batches.push_back(std::move(clicks));
  }
  if (batches.empty()) fail(ErrorCode::invalid_argument, "the test data have no samples");
  return batches;
}

struct Errors {
  double mean = 0.0;
  double max = 0.0;  ///< infinite for a score that is no number
};

Errors score_all(DlrmSession& session, const std::vector<Clicks>& batches) {
  Errors errors;
  std::int64_t samples = 0;
  std::vector<float> scores;
  for (const Clicks& clicks : batches) {
    scores.resize(static_cast<std::size_t>(clicks.samples));
    session.score({clicks.samples, clicks.dense, clicks.indices, clicks.offsets}, scores);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const double error =
          std::abs(static_cast<double>(scores[i]) - static_cast<double>(clicks.reference[i]));
      errors.max = std::isnan(error) ? INFINITY : std::max(errors.max, error);
      errors.mean += error;
    }
    samples += clicks.samples;
  }
  errors.mean /= static_cast<double>(samples);
  return errors;
}

/// Times of whole batches, every batch in turn until `seconds` are over.
bench::Histogram time_batches(DlrmSession& session, const std::vector<Clicks>& batches, double seconds) {
  using Clock = std::chrono::steady_clock;
  std::vector<float> scores(static_cast<std::size_t>(batches[0].samples));
  bench::Histogram latency;
  const Clock::time_point end = Clock::now() + std::chrono::nanoseconds(std::llround(seconds * 1e9));
  do {
    for (const Clicks& clicks : batches) {
      if (clicks.samples != batches[0].samples) continue;  // the last one may be short
      const Clock::time_point begin = Clock::now();
      session.score({clicks.samples, clicks.dense, clicks.indices, clicks.offsets}, scores);
      latency.add(std::chrono::nanoseconds(Clock::now() - begin).count());
    }
  } while (Clock::now() < end);
  return latency;
}

int infer(const Options& options) {
  const bool is_package_given = is_package_folder(options.library);
  if (!is_package_given && options.library != "-") {
    fmt::print(stderr, "note: '{}' and '{}' are not needed: the model is what '{}' holds\n", options.library,
               options.graph, options.weights);
  }
  const Dlrm model = options.dlrm.open(is_package_given ? options.library : options.weights, options.run);
  const std::vector<Clicks> batches =
      read_batches(*options.dlrm.open_data(shape_of(model)), options.run.batch);
  DlrmSession session(model, options.dlrm.session_options(options.run));
  const Errors errors = score_all(session, batches);
  const bench::Histogram latency = time_batches(session, batches, options.seconds);
  const auto micros = [&](double share) { return static_cast<double>(latency.quantile_ns(share)) / 1000.0; };
  fmt::print("batch {}: mean {:.1f} us, p50 {:.1f}, p90 {:.1f}, p99 {:.1f}, max {:.1f} us ({} runs)\n",
             batches[0].samples, latency.mean_ns() / 1000.0, micros(0.5), micros(0.9), micros(0.99),
             micros(1.0), latency.count());
  const bool passes = errors.max <= options.tolerance;
  fmt::print("average error {:.3g}, maximum error {:.3g}\n{}\n", errors.mean, errors.max,
             passes ? "PASS" : "FAIL");
  return passes ? 0 : kFailure;
}

int run(int argc, char** argv) {
  constexpr std::int64_t kDemoBatch = 128;
  CLI::App app("Scores test data with a DLRM, as the TVM demo's program of this name.", "dlrm_infer");
  Options options;
  options.run.batch = kDemoBatch;
  app.add_option("SO", options.library, "a package that octavo prepare made; anything else is passed over")
      ->required();
  app.add_option("JSON", options.graph, "passed over")->required();
  app.add_option("WEIGHTS", options.weights,
                 "the model, unless SO is a package: a folder of p0, p1, …, a checkpoint (.pt) or an .onnx")
      ->required();
  app.add_option("TESTDATA", options.dlrm.data,
                 "a folder of batch_dense_X_ref, batch_lS_i_ref, batch_res_ref, or other click data")
      ->required();
  app.add_option("--seconds", options.seconds, "measure for so long")->check(CLI::Range(0.0, 3600.0));
  app.add_option("--max-error", options.tolerance, "PASS up to this")->capture_default_str();
  options.run.declare(app);
  options.dlrm.declare(app);
  app.footer("Exit code 0 for PASS, 1 for FAIL or an error, 2 for wrong usage.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  }
  return infer(options);
}

}  // namespace
}  // namespace octavo::cli

int main(int argc, char** argv) {
  try {
    return octavo::cli::run(argc, argv);
  } catch (const octavo::Error& e) {
    fmt::print(stderr, "dlrm_infer: {}\n", e.what());
  } catch (const std::exception& e) {
    fmt::print(stderr, "dlrm_infer: unexpected error: {}\n", e.what());
  }
  return octavo::cli::kFailure;
}
