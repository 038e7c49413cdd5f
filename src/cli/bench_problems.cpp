#include "cli/bench_problems.h"

#include <fmt/format.h>

#include "base/cpu.h"
#include "bench/row_times.h"
#include "cli/json_output.h"
#include "engine/kernels/problem_lines.h"

namespace octavo::cli {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const bench::RowTime& time) {
  if (!time.objection.empty()) return {{"kernel", time.row}, {"objection", time.objection}};
  return {{"kernel", time.row},
          {"median_us", time.median_us},
          {"best_us", time.best_us},
          {"ops_per_second", time.ops_per_second},
          {"peak_fraction", time.peak_fraction},
          {"bytes_per_second", time.bytes_per_second},
          {"bandwidth_fraction", time.bandwidth_fraction}};
}

}  // namespace

void bench_problems(const ProblemOptions& options) {
  JsonOutput output(options.json);
  std::vector<std::string> problems = options.problems;
  if (!options.file.empty()) {
    const std::vector<std::string> more = problem_lines(options.file);
    problems.insert(problems.end(), more.begin(), more.end());
  }
  const bench::Peaks peaks = bench::measure_peaks({}, usable_isa());
  output.say(bench::text_of(peaks));
  Json json = Json::array();
  for (const std::string& problem : problems) {
    for (std::int64_t batch : options.batches) {
      output.say(fmt::format("{}  (batch {})\n", problem, batch));
      Json rows = Json::array();
      for (const bench::RowTime& time : bench::time_rows(problem, batch, options.seconds, peaks)) {
        rows.push_back(json_of(time));
        if (!time.objection.empty()) continue;
        std::string products;
        if (time.ops_per_second > 0) products = fmt::format("{:9.3f} TOPS", time.ops_per_second * 1e-12);
        if (time.peak_fraction > 0) products += fmt::format("{:7.1f} % of peak", 100 * time.peak_fraction);
        output.say(fmt::format("  {:26}{:11.1f} us{}{:8.1f} GB/s{:7.1f} % of bandwidth\n", time.row,
                               time.median_us, products, time.bytes_per_second * 1e-9,
                               100 * time.bandwidth_fraction));
      }
      json.push_back(
          {{"problem", problem}, {"batch", batch}, {"peaks", bench::json_of(peaks)}, {"rows", rows}});
    }
  }
  output.finish(json);
}

}  // namespace octavo::cli
