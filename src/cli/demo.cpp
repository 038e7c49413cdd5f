#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "bench/step_cost.h"
#include "cli/demo_gallery.h"
#include "cli/demo_resnet50.h"
#include "cli/demo_shapes.h"
#include "cli/kernel_counts.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "package/package.h"

namespace octavo::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  int threads = 0;
  double seconds = 4.0;
  bool plain = false;
  bool json = false;
};

/// Text for people goes out at once; with --json there is none.
void say(const Options& options, const std::string& text) {
  if (options.json) return;
  fmt::print("{}", text);
  std::fflush(stdout);
}

Json json_of(const ShapePictures& pictures, const ShapeScores& scores) {
  return {{"pictures", pictures.images.size()},
          {"right", scores.accuracy.top1},
          {"logits", scores.with_recorded.values},
          {"equal_logits", scores.with_recorded.equal}};
}

double quantile_ms(const ThreadsLatency& of, double share) {
  return static_cast<double>(of.measured.latency.quantile_ns(share)) * 1e-6;
}

Json json_of(const ThreadsLatency& of, std::int64_t macs) {
  return {{"threads", of.threads},
          {"runs", of.measured.runs},
          {"p50_ms", quantile_ms(of, 0.5)},
          {"p90_ms", quantile_ms(of, 0.9)},
          {"p99_ms", quantile_ms(of, 0.99)},
          {"images_per_second", of.measured.items_per_second()},
          {"tops", tera_operations(macs, of.measured)}};
}

/// Returns whether every logit is PyTorch's.
bool show_shapes(const Options& options, int threads, Json& json) {
  const ShapePictures pictures = embedded_shape_pictures();
  const ShapeScores scores = score_shapes(compile_embedded_shapes_network(), pictures, threads);
  const Comparison& logits = scores.with_recorded;
  const bool is_exact = logits.equal == logits.values;
  const auto shown = first_of_each_class(pictures);
  const bool in_colours = !options.plain && stdout_shows_colours();

  say(options,
      fmt::format("A small int8 residual network (PyTorch, TorchScript) sorts {} pictures it has not seen "
                  "into {} shapes.\nOne of each, with the three best scores:\n\n",
                  pictures.images.size(), pictures.classes.size()));
  say(options, in_colours ? gallery_in_colours(pictures, scores.logits, shown, terminal_columns())
                          : gallery_text(pictures, scores.logits, shown) + "\n");
  say(options,
      fmt::format("  right       {} of {} pictures ({:.1f} %)\n  exactness   {} of {} scores equal PyTorch's "
                  "bit for bit{}\n\n",
                  scores.accuracy.top1, pictures.images.size(), 100.0 * scores.accuracy.top1_share(),
                  logits.equal, logits.values, is_exact ? "" : ": THEY SHOULD ALL"));
  json["shapes"] = json_of(pictures, scores);
  return is_exact;
}

void show_resnet50(const Options& options, std::vector<int> threads, Json& json) {
  const Package package = compile_synthetic_resnet50();
  const std::int64_t macs = bench::macs_per_item(package.data().plan);
  const auto counts = kernel_counts(Session(package).steps());
  say(options,
      fmt::format("A full-size ResNet-50 v1.5 in int8 with generated weights: {} multiply-accumulates a "
                  "picture, {} steps\n",
                  macs, package.data().plan.steps.size()));
  for (const auto& [kernel, count] : counts) say(options, fmt::format("  {:4} {}\n", count, kernel));

  json["resnet50"] = {{"macs", macs}, {"kernels", counts}, {"latency", Json::array()}};
  say(options, fmt::format("\n  one picture at a time, {:g} s for each number of threads\n"
                           "  threads    runs  median ms     p90 ms     p99 ms   images/s       TOPS\n",
                           options.seconds));
  for (int count : threads) {
    const ThreadsLatency of = measure_threads(package, count, options.seconds);
    say(options,
        fmt::format("  {:7} {:7} {:10.3f} {:10.3f} {:10.3f} {:10.1f} {:10.3f}\n", count, of.measured.runs,
                    quantile_ms(of, 0.5), quantile_ms(of, 0.9), quantile_ms(of, 0.99),
                    of.measured.items_per_second(), tera_operations(macs, of.measured)));
    json["resnet50"]["latency"].push_back(json_of(of, macs));
  }
}

void run(const Options& options) {
  const CpuFacts& cpu = cpu_facts();
  const int threads = options.threads > 0 ? options.threads : usable_threads(cpu.system);
  Json json{{"cpu", cpu.brand}, {"isa", isa_name(usable_isa())}};
  say(options, fmt::format("{}, {}, {} threads\n\n", cpu.brand, isa_name(usable_isa()), threads));
  const bool is_exact = show_shapes(options, threads, json);
  show_resnet50(options, threads == 1 ? std::vector{1} : std::vector{1, threads}, json);
  if (options.json) fmt::print("{}\n", json.dump(1));
  if (!is_exact) throw ExitCode{1};
}

}  // namespace

void add_demo(CLI::App& app) {
  CLI::App* verb =
      app.add_subcommand("demo", "classify pictures and time a ResNet-50; needs no file and no network");
  const auto options = std::make_shared<Options>();
  verb->add_option("-t,--threads", options->threads,
                   "the most threads to use; default: all that this process may")
      ->check(CLI::Range(1, 1024));
  verb->add_option("--seconds", options->seconds, "how long to time each number of threads")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  verb->add_flag("--plain", options->plain, "no pictures and colours");
  verb->add_flag("--json", options->json, "for scripts");
  verb->footer("Examples:\n  octavo demo\n  octavo demo --threads 1 --seconds 10 --json");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
