#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "base/fail.h"
#include "cli/bench_model.h"
#include "cli/bench_problem.h"
#include "cli/model_options.h"

namespace octavo::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  ModelOptions model;
  std::vector<std::string> problems;
  std::string problem_file, json, kernels;
  std::vector<int> threads{1};
  std::vector<std::int64_t> batches{1};
  double seconds = 0;
  std::int64_t images_per_pass = 0;
  bool steps = false;
};

constexpr double kProblemSeconds = 0.2, kModelSeconds = 2.0;

bool prints(const Options& options) { return options.json != "-"; }

void write_json(const Options& options, const Json& json) {
  if (options.json.empty()) return;
  if (options.json == "-") {
    fmt::print("{}\n", json.dump(1));
    return;
  }
  std::ofstream file(options.json);
  file << json.dump(1) << '\n';
  if (!file.flush()) fail(ErrorCode::io, "{}: cannot be written", options.json);
}

std::vector<std::string> problems_in(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail(ErrorCode::io, "{}: cannot be read", path);
  std::vector<std::string> problems;
  for (std::string line; std::getline(file, line);) {
    line.resize(std::min(line.find('#'), line.size()));
    while (!line.empty() && line.back() == ' ') line.pop_back();
    if (!line.empty()) problems.push_back(line);
  }
  return problems;
}

Json json_of(const RowTime& time) {
  if (!time.objection.empty()) return {{"kernel", time.row}, {"objection", time.objection}};
  return {{"kernel", time.row},
          {"median_us", time.median_us},
          {"best_us", time.best_us},
          {"ops_per_second", time.ops_per_second},
          {"peak_fraction", time.peak_fraction},
          {"bytes_per_second", time.bytes_per_second}};
}

void bench_problems(const Options& options) {
  std::vector<std::string> problems = options.problems;
  if (!options.problem_file.empty()) {
    const std::vector<std::string> more = problems_in(options.problem_file);
    problems.insert(problems.end(), more.begin(), more.end());
  }
  const double seconds = options.seconds > 0 ? options.seconds : kProblemSeconds;
  Json json = Json::array();
  for (const std::string& problem : problems) {
    for (std::int64_t batch : options.batches) {
      if (prints(options)) fmt::print("{}  (batch {})\n", problem, batch);
      Json rows = Json::array();
      for (const RowTime& time : time_rows(problem, batch, seconds)) {
        rows.push_back(json_of(time));
        if (!prints(options) || !time.objection.empty()) continue;
        fmt::print("  {:16}{:11.1f} us{:9.3f} TOPS{:7.1f} % of peak{:8.1f} GB/s\n", time.row, time.median_us,
                   time.ops_per_second * 1e-12, 100 * time.peak_fraction, time.bytes_per_second * 1e-9);
      }
      std::fflush(stdout);
      json.push_back({{"problem", problem}, {"batch", batch}, {"rows", rows}});
    }
  }
  write_json(options, json);
}

Json json_of(const ModelTime& time) {
  Json steps = Json::array();
  for (const StepTime& step : time.steps) {
    steps.push_back({{"problem", step.problem},
                     {"kernel", step.kernel},
                     {"origin", step.origin},
                     {"median_us", step.median_us},
                     {"best_us", step.best_us},
                     {"ops_per_second", step.ops_per_second}});
  }
  return {{"threads", time.threads},
          {"batch", time.batch},
          {"items_per_second", time.items_per_second},
          {"latency_ms", {{"p50", time.latency.median_ms()}, {"p99", time.latency.quantile_ms(0.99)}}},
          {"macs_per_item", time.macs_per_item},
          {"peak_ops_per_second", time.peak_ops_per_second},
          {"peak_fraction", time.peak_fraction},
          {"steps", steps}};
}

void print(const Options& options, const ModelTime& time) {
  fmt::print(
      "threads {:<3} batch {:<4}{:10.1f} items/s  p50 {:.3f} ms  p99 {:.3f} ms  {:.1f} % of {:.2f} TOPS\n",
      time.threads, time.batch, time.items_per_second, time.latency.median_ms(),
      time.latency.quantile_ms(0.99), 100 * time.peak_fraction, time.peak_ops_per_second * 1e-12);
  if (!options.steps) return;
  for (const StepTime& step : time.steps) {
    fmt::print("  {:10.1f} us {:8.3f} TOPS  {:16}{}\n", step.median_us, step.ops_per_second * 1e-12,
               step.kernel, step.problem);
  }
}

void bench_model(const Options& options) {
  const Package package = options.model.open();
  Json json = Json::array();
  for (int threads : options.threads) {
    for (std::int64_t batch : options.batches) {
      SessionOptions session;
      session.threads = threads;
      session.kernels = options.kernels;
      session.images_per_pass = options.images_per_pass;
      const double seconds = options.seconds > 0 ? options.seconds : kModelSeconds;
      const ModelTime time = time_model(package, session, batch, seconds);
      if (prints(options)) print(options, time);
      json.push_back(json_of(time));
    }
  }
  write_json(options, {{"model", package.name()},
                       {"cpu", cpu_facts().brand},
                       {"isa", isa_name(usable_isa())},
                       {"points", json}});
}

void run(const Options& options) {
  const bool has_problems = !options.problems.empty() || !options.problem_file.empty();
  if (has_problems != options.model.model.empty()) {
    fail(ErrorCode::invalid_argument, "expected a model, or --problem or --problems");
  }
  has_problems ? bench_problems(options) : bench_model(options);
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* verb =
      app.add_subcommand("bench", "time a model, or every kernel for a problem, against this CPU's peak");
  const auto options = std::make_shared<Options>();
  options->model.declare(*verb);
  verb->get_option("MODEL")->required(false);
  verb->add_option("--problem", options->problems, "a problem, as `octavo inspect --stage=plan` prints them");
  verb->add_option("--problems", options->problem_file, "a file of problems, one a line");
  verb->add_option("-t,--threads", options->threads, "numbers of threads, of a model")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024));
  verb->add_option("-b,--batch", options->batches, "batch sizes")
      ->delimiter(',')
      ->check(CLI::Range(1, 1 << 20));
  verb->add_option("--seconds", options->seconds, "how long to time each point")
      ->check(CLI::Range(0.0, 3600.0));
  verb->add_option("--images-per-pass", options->images_per_pass, "images that go through a model at a time");
  verb->add_option("--kernels", options->kernels, "force kernels: conv2d:avx2,linear:reference");
  verb->add_flag("--steps", options->steps, "also the time of every step of a model");
  verb->add_option("--json", options->json, "write the numbers to this file; - for the standard output");
  verb->footer(
      "Examples:\n  octavo bench resnet50.pt --threads 1,2 --batch 1,8 --json -\n"
      "  octavo bench --problem 'conv2d ic64 ih56 iw56 oc64 kh3 kw3 pt1 pl1 pb1 pr1'\n"
      "  octavo bench --problems bench/problems/resnet50.txt");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
