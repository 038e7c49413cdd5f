#include "cli/bench_model.h"

#include <algorithm>
#include <filesystem>

#include "base/cpu.h"
#include "base/fail.h"
#include "base/mapped_file.h"
#include "base/sha256.h"
#include "bench/session_instance.h"
#include "cli/interrupt.h"
#include "engine/session/dlrm/pipeline.h"
#include "package/package.h"

namespace octavo::cli {
namespace {

bench::Profile steps_of(const Package& package, const SessionOptions& session,
                        const std::shared_ptr<const bench::Samples>& samples, const bench::Point& point) {
  constexpr double kSeconds = 0.3;
  bench::SessionInstance instance(package, session, point.places.front(), samples);
  instance.run(0, point.batch);
  bench::Peaks peaks;
  peaks.isa = usable_isa();
  peaks.threads = point.split.threads;
  peaks.int8_ops_per_second = point.arithmetic.peak_ops_per_second;
  return bench::profile(instance.session(), peaks, point.batch, kSeconds, {.stop = &interrupted()});
}

/// All pairs that the data gives, table by table.
bench::DlrmSamples read_pairs(ClickReader& data, std::size_t tables) {
  constexpr std::int64_t kPiece = 4096;
  std::vector<std::vector<std::int64_t>> by_table(tables);
  bench::DlrmSamples samples;
  for (Clicks clicks = data.next(kPiece); clicks.samples > 0; clicks = data.next(kPiece)) {
    if (!clicks.offsets.empty())
      fail(ErrorCode::unsupported, "measurements take one row for each table and pair, the data has bags");
    samples.pairs += clicks.samples;
    samples.dense.insert(samples.dense.end(), clicks.dense.begin(), clicks.dense.end());
    for (std::size_t t = 0; t < tables; ++t) {
      const auto begin = clicks.indices.begin() + static_cast<std::ptrdiff_t>(t) * clicks.samples;
      by_table[t].insert(by_table[t].end(), begin, begin + clicks.samples);
    }
  }
  if (samples.pairs == 0) fail(ErrorCode::invalid_argument, "the data has no samples");
  for (const std::vector<std::int64_t>& rows : by_table) {
    samples.indices.insert(samples.indices.end(), rows.begin(), rows.end());
  }
  return samples;
}

/// What names a package's bytes: its manifest, which holds their checksums.
std::string manifest_sha256(const std::filesystem::path& folder) {
  const std::filesystem::path manifest = folder / "manifest.json";
  if (!std::filesystem::is_regular_file(manifest)) return "not a package";
  return sha256_hex(MappedFile(manifest).bytes());
}

/// What `octavo tune` found to score most on CPUs like this one.
std::optional<bench::Split> tuned_split(const Plan& plan) {
  const bool is_known = plan.tuning && plan.tuning->instances > 0 && plan.tuning->cpu == cpu_facts().brand &&
                        plan.tuning->isa == isa_name(usable_isa());
  if (!is_known) return std::nullopt;
  return bench::Split{plan.tuning->instances, plan.tuning->threads / plan.tuning->instances};
}

}  // namespace

std::int64_t most_samples(const bench::Sweep& sweep) {
  if (sweep.mode == bench::Mode::single_stream) return 1;
  if (sweep.mode == bench::Mode::multi_stream) return sweep.query_samples;
  if (sweep.mode == bench::Mode::server) return sweep.load.max_batch;
  return *std::max_element(sweep.batches.begin(), sweep.batches.end());
}

MeasuredModel measured_session(const ModelOptions& model, const InputOptions& inputs,
                               const SessionOptions& session, std::int64_t most) {
  const Package package = model.open();
  const bool batches = bench::takes_batches(package);
  const auto samples =
      std::make_shared<const bench::Samples>(read_samples(inputs, package, batches ? most : 1));
  return {
      bench::facts_of(package),
      {bench::start_sessions(package, session, samples), bench::macs_per_item(package.data().plan), batches},
      [=](const bench::Point& point) { return steps_of(package, session, samples, point); },
      tuned_split(package.data().plan)};
}

DlrmOnData open_dlrm_on_data(const std::string& model, const RunOptions& run, const DlrmOptions& dlrm,
                             const PairOptions& pairs, std::int64_t most) {
  const Dlrm opened = dlrm.open(model, run);
  const auto samples = std::make_shared<bench::DlrmSamples>(
      read_pairs(*dlrm.open_data(shape_of(opened)), opened.rows().size()));
  samples->begins = pairs.kind == "one" ? bench::single_pairs(samples->pairs)
                                        : bench::mlperf_samples(samples->pairs, pairs.seed);
  if (samples->count() < most) {
    fail(ErrorCode::invalid_argument, "{} samples at once, the data makes {}", most, samples->count());
  }
  return {opened, samples, bench::facts_of(opened.name(), manifest_sha256(model))};
}

MeasuredModel measured_dlrm(const std::string& model, const RunOptions& run, const DlrmOptions& dlrm,
                            const PairOptions& pairs, std::int64_t most) {
  const DlrmOnData opened = open_dlrm_on_data(model, run, dlrm, pairs, most);
  const DlrmSessionOptions options = dlrm.session_options(run);
  const auto start = [=](const bench::Place& place) {
    return std::make_unique<bench::DlrmInstance>(opened.model, options, place, opened.samples);
  };
  return {opened.facts, {start, bench::macs_per_pair(opened.model.data().model), true}, {}, {}};
}

}  // namespace octavo::cli
