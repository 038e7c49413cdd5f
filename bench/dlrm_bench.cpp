// Times scoring with the DLRM of MLPerf ("40M": 187,767,399 rows x 128) made up in memory: samples/s by batch
// size, uniform and Zipf indices, against the int8 peak measured in the same process. Several arithmetics are
// timed in turns.
//   dlrm_bench [--scale F] [--format s4_codebook] [--threads N] [--batch 1,128,2048] [--seconds S]
//              [--arithmetic int8,bf16,f32] [--kernel ROW]
//   dlrm_bench --against onnxruntime|openvino [--library SO] [--rounds N] ...
//              in turns with ONNX Runtime in f32 or OpenVINO in bf16: the same layers, the real tables cut to
//              40,000 rows
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <numeric>
#include <random>
#include <thread>

#include "base/cpu.h"
#include "bench/compare.h"
#include "dlrm_peer.h"
#include "engine/kernels/peak/peak.h"
#include "engine/session/dlrm/calibrate.h"
#include "engine/session/dlrm/pipeline.h"

namespace octavo {
namespace {

constexpr std::int64_t kRows[] = {39884406, 39043,    17289,    7420,     20263,  3,     7120, 1543, 63,
                                  38532951, 2953546,  403346,   10,       2208,   11938, 155,  4,    976,
                                  14,       39979771, 25641295, 39664984, 585935, 12972, 108,  36};
/// Multiplications and additions of the MLPs and the products, each once.
constexpr double kOperations = 2.0 * (13 * 512 + 512 * 256 + 256 * 128 + 479 * 1024 + 1024 * 1024 +
                                      1024 * 512 + 512 * 256 + 256 + 351 * 128);

/// The most rows of a peer's table.
constexpr std::int64_t kPeerRows = 40000;

/// Made-up pairs, more than caches hold the rows of.
constexpr std::int64_t kPairs = 400000;

struct Options {
  double scale = 0.01;
  std::string format = "s4_codebook";
  int threads = 1;
  std::vector<std::int64_t> batches{1, 16, 128, 2048};
  double seconds = 2.0;
  std::string kernel;
  std::vector<std::string> arithmetic{"int8"};
  std::string package;
  bool is_mapped = false;
  std::string against, library;
  int rounds = 5;
};

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Seconds that this process computed, on all its threads: what others take from the CPUs is not in it.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

DlrmModel model_of(const Options& options) {
  DlrmModel model;
  model.name = "40m";
  model.dense_features = 13;
  model.dim = 128;
  model.bottom = {512, 256, 128};
  model.top = {1024, 1024, 512, 256, 1};
  for (std::int64_t rows : kRows) {
    DlrmTable table;
    table.rows = rows < 1000
                     ? rows
                     : std::max<std::int64_t>(
                           1000, static_cast<std::int64_t>(static_cast<double>(rows) * options.scale));
    table.format = *parse_row_format(options.format);
    table.scale = 0.002F;
    for (int q = 0; q < 16; ++q)
      table.codebook[static_cast<std::size_t>(q)] = static_cast<std::int8_t>(15 * q - 112);
    model.tables.push_back(table);
  }
  return model;
}

/// Random rows: any bits where those are valid, else coded from random values.
void fill_random(const DlrmTable& table, std::int64_t dim, std::byte* to, std::int64_t bytes,
                 std::uint64_t seed) {
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
  const auto next = [&state] { return state ^= state << 13U, state ^= state >> 7U, state ^= state << 17U; };
  if (table.format == RowFormat::s4_codebook) {
    for (std::int64_t i = 0; i + 8 <= bytes; i += 8) {
      const std::uint64_t word = next();
      std::memcpy(to + i, &word, 8);
    }
    return;
  }
  const std::int64_t row = row_bytes(table.format, dim);
  const RowCoding coding{table.format, dim, table.scale, {}};
  std::vector<float> values(static_cast<std::size_t>(dim));
  for (std::int64_t i = 0; i + row <= bytes; i += row) {
    for (float& value : values)
      value = static_cast<float>(static_cast<std::int32_t>(next() % 512) - 256) * 0.001F;
    encode_rows(coding, values, {to + i, static_cast<std::size_t>(row)});
  }
}

void fill_tables(const DlrmModel& model, Tables& tables) {
  std::atomic<std::size_t> next{0};
  std::vector<std::pair<std::size_t, std::int64_t>> pieces;
  const auto piece_bytes = [&](std::size_t t) {
    return 500000 * row_bytes(model.tables[t].format, model.dim);
  };
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    for (std::int64_t at = 0; at < table_bytes(model, t); at += piece_bytes(t)) pieces.emplace_back(t, at);
  }
  const auto work = [&] {
    for (std::size_t i = next++; i < pieces.size(); i = next++) {
      const auto [t, at] = pieces[i];
      fill_random(model.tables[t], model.dim, tables.rows(t) + at,
                  std::min(piece_bytes(t), table_bytes(model, t) - at), i + 1);
    }
  };
  std::jthread other(work);
  work();
}

std::vector<DlrmLayer> random_layers(const std::vector<std::int64_t>& widths, std::int64_t inputs,
                                     std::mt19937& random) {
  std::vector<DlrmLayer> layers;
  for (std::int64_t width : widths) {
    DlrmLayer layer{Tensor(DType::f32, {width, inputs}), Tensor(DType::f32, {width})};
    std::normal_distribution<float> weight(0.0F, std::sqrt(2.0F / static_cast<float>(inputs)));
    for (float& value : layer.weights.as<float>()) value = weight(random);
    layers.push_back(std::move(layer));
    inputs = width;
  }
  return layers;
}

double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11U) * 0x1p-53; }

/// Row numbers of one table, all alike (`zipf` 0) or by Zipf's law, inverted for a continuous rank; popular
/// rows lie all over the table: consecutive ranks a golden section apart.
class RowLaw {
 public:
  RowLaw(std::int64_t rows, double zipf) : rows_(static_cast<std::uint64_t>(rows)), zipf_(zipf) {
    factor_ = static_cast<std::uint64_t>(static_cast<double>(rows) * 0.6180339887) | 1U;
    while (std::gcd(factor_, rows_) != 1) factor_ += 2;
  }

  std::int64_t operator()(std::mt19937_64& random) const {
    if (zipf_ == 0) return static_cast<std::int64_t>(random() % rows_);
    const double reach = std::pow(static_cast<double>(rows_) + 1, 1 - zipf_) - 1;
    const double x = std::pow(1 + uniform(random) * reach, 1 / (1 - zipf_));
    const auto rank = std::min(static_cast<std::uint64_t>(std::max(x - 1, 0.0)), rows_ - 1);
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::int64_t>(Wide{rank} * factor_ % rows_);
  }

 private:
  std::uint64_t rows_, factor_;
  double zipf_;
};

struct Pairs {
  std::vector<float> dense;
  std::vector<std::int64_t> indices;  ///< [tables, kPairs]

  Pairs(const Dlrm& model, double zipf) : dense(static_cast<std::size_t>(kPairs * model.dense_features())) {
    std::mt19937_64 random(7);
    for (float& value : dense) value = static_cast<float>(3 * uniform(random));
    for (std::int64_t rows : model.rows()) {
      const RowLaw row(rows, zipf);
      for (std::int64_t i = 0; i < kPairs; ++i) indices.push_back(row(random));
    }
  }

  [[nodiscard]] std::shared_ptr<const bench::DlrmSamples> samples() const {
    return std::make_shared<bench::DlrmSamples>(
        bench::DlrmSamples{kPairs, dense, indices, bench::single_pairs(kPairs)});
  }

  /// `count` pairs from number `first` on, from the beginning again behind the end.
  [[nodiscard]] DlrmBatch part(std::int64_t first, std::int64_t count) const {
    first %= kPairs - count + 1;
    const std::int64_t features = std::ssize(dense) / kPairs;
    return {count,
            std::span(dense).subspan(static_cast<std::size_t>(first * features),
                                     static_cast<std::size_t>(count * features)),
            std::span(indices).subspan(static_cast<std::size_t>(first)),
            {},
            kPairs};
  }
};

/// Runs of `batch` pairs, one after the other.
void measure(DlrmSession& session, std::string_view arithmetic, const Pairs& pairs, std::int64_t batch,
             std::string_view indices, double seconds, double peak) {
  std::vector<float> scores(static_cast<std::size_t>(batch));
  std::vector<double> each;
  for (std::int64_t i = 0; i < 8; ++i) session.score(pairs.part(i * batch, batch), scores);
  const auto begin = std::chrono::steady_clock::now();
  const double cpu_begin = cpu_seconds();
  for (std::int64_t i = 8; seconds_since(begin) < seconds || each.size() < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    session.score(pairs.part(i * batch, batch), scores);
    each.push_back(seconds_since(start));
  }
  const double cpu_each =
      (cpu_seconds() - cpu_begin) / static_cast<double>(each.size()) / static_cast<double>(batch);
  std::sort(each.begin(), each.end());
  const auto rate = [&](double share) {
    return static_cast<double>(batch) /
           each[static_cast<std::size_t>(share * static_cast<double>(each.size() - 1))];
  };
  fmt::print(
      "b{:<5} {:8} {:4} median {:8.0f} samples/s  best {:8.0f} ({:.1f}% of the peak)  p99 {:.1f} us a batch  "
      "{:.3f} us of CPU a "
      "sample\n",
      batch, indices, arithmetic, rate(0.5), rate(0.01), 100 * rate(0.01) * kOperations / peak,
      1e6 * each[each.size() * 99 / 100], 1e6 * cpu_each);
}

std::string memory_line() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return line;
  }
  return "";
}

/// Scores 1024 pairs also with the reference.
void check(const Dlrm& model, DlrmSessionOptions options, const Pairs& pairs) {
  DlrmSession fast(model, options);
  options.kernel = "reference";
  DlrmSession exact(model, options);
  constexpr std::int64_t kCount = 1024;
  std::vector<float> scores(kCount), expected(kCount);
  fast.score(pairs.part(0, kCount), scores);
  exact.score(pairs.part(0, kCount), expected);
  std::int64_t different = 0;
  float most = 0;
  for (std::size_t s = 0; s < scores.size(); ++s) {
    different += scores[s] == expected[s] ? 0 : 1;
    most = std::max(most, std::fabs(scores[s] - expected[s]));
  }
  fmt::print("{} of {} scores differ from the reference, by {:.2g} at most\n", different, kCount, most);
}

/// The model with made-up weights and rows, calibrated on made-up samples.
Dlrm made_up(const Options& options) {
  DlrmModel model = model_of(options);
  Tables tables = Tables::zeros(model);
  fill_tables(model, tables);
  std::mt19937 random(1);
  auto bottom = random_layers(model.bottom, model.dense_features, random);
  auto top = random_layers(model.top, interaction_width(model), random);
  auto data = std::make_shared<DlrmData>(
      DlrmData{std::move(model), std::move(bottom), std::move(top), std::move(tables)});
  DlrmCalibrator calibrator{Dlrm(data)};
  calibrator.add(Pairs(Dlrm(data), 0).part(0, 512));
  data->model.calibration = calibrator.calibration();
  return Dlrm(data);
}

DlrmSessionOptions session_options(const Options& options, std::string_view arithmetic) {
  DlrmSessionOptions result;
  result.precision = arithmetic == "f32"    ? DlrmPrecision::f32
                     : arithmetic == "bf16" ? DlrmPrecision::bf16
                                            : DlrmPrecision::int8;
  result.threads = options.threads;
  result.kernel = options.kernel;
  return result;
}

/// The same layers with tables of f32 rows, made up, that are cut to kPeerRows.
Dlrm cut_for_peers(const DlrmData& data) {
  DlrmModel model = data.model;
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    model.tables[t].rows = std::min(kRows[t], kPeerRows);
    model.tables[t].format = RowFormat::f32;
  }
  Tables tables = Tables::zeros(model);
  fill_tables(model, tables);
  return Dlrm(
      std::make_shared<DlrmData>(DlrmData{std::move(model), data.bottom, data.top, std::move(tables)}));
}

/// Scores 1024 pairs in f32 with our reference and with the peer, both with the same tables. `most`: that
/// scores may differ.
void check_peer(const Dlrm& cut, bench::PeerInstance& peer, const Pairs& pairs, double most) {
  constexpr std::int64_t kCount = 1024;
  std::vector<float> scores(kCount);
  DlrmSession({cut}, {.cpus = {}, .kernel = "reference"}).score(pairs.part(0, kCount), scores);
  peer.run(0, kCount);
  bench::Comparison outputs;
  bench::compare_outputs(outputs, scores, peer.first_output());
  fmt::print("{}: {} scores of tables cut to {} rows differ from our f32 reference by {:.2g} at most\n",
             peer.name(), kCount, kPeerRows, outputs.largest_difference);
  if (!(outputs.largest_difference <= most)) throw Error(ErrorCode::internal, "the scores do not agree");
}

/// Ours on all rows and the peer on cut tables, in turns: every batch, arithmetic and law of row numbers.
void compare_with_peer(const Options& options, const Dlrm& dlrm) {
  const bench::Place place{options.threads, {}};
  const Dlrm cut = cut_for_peers(dlrm.data());
  for (const double zipf : {0.0, 1.05}) {
    const Pairs peer_pairs(cut, zipf);
    bench::Instances theirs;
    auto peer = start_dlrm_peer(options.against, cut.data(), *peer_pairs.samples(), place, options.library);
    const bool is_f32 = options.against == "onnxruntime";
    check_peer(cut, *peer, peer_pairs, is_f32 ? 1e-5 : 0.02);
    theirs.push_back(std::move(peer));
    const auto pairs = Pairs(dlrm, zipf).samples();
    for (const std::string& arithmetic : options.arithmetic) {
      bench::Instances ours;
      ours.push_back(
          std::make_unique<bench::DlrmInstance>(dlrm, session_options(options, arithmetic), place, pairs));
      for (const std::int64_t batch : options.batches) {
        const bench::Comparison c =
            bench::compare(ours, theirs, batch, options.rounds, options.seconds / options.rounds, {});
        const bench::Ratio ratio = c.ratio();
        fmt::print(
            "b{:<5} {:8} {:4} {:8.0f} samples/s  theirs {:6.0f}  ratio {:.1f} ({:.1f} - {:.1f})  {:.2f} us "
            "of "
            "CPU a sample, theirs {:.2f}, ratio {:.1f}\n",
            batch, zipf == 0 ? "uniform" : "Zipf", arithmetic, bench::median(c.ours), bench::median(c.theirs),
            ratio.median, ratio.least, ratio.most, c.ours_cpu_us, c.theirs_cpu_us,
            c.theirs_cpu_us / c.ours_cpu_us);
      }
    }
  }
}

int run(const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  const TablePlace place = options.is_mapped ? TablePlace::mapped : TablePlace::memory;
  const Dlrm dlrm = options.package.empty() ? made_up(options) : Dlrm::open(options.package, place, 2);
  const DlrmModel& model = dlrm.data().model;
  fmt::print("{}: {:.2f} GB, ready in {:.2f} s\n", print(model),
             static_cast<double>(dlrm.table_bytes()) * 1e-9, seconds_since(begin));
  std::vector<DlrmSession> sessions;
  for (const std::string& arithmetic : options.arithmetic)
    sessions.emplace_back(dlrm, session_options(options, arithmetic));
  const Pairs uniform_pairs(dlrm, 0);
  std::vector<float> scores(512);
  sessions[0].score(uniform_pairs.part(0, 512), scores);
  fmt::print("the first 512 samples are scored {:.2f} s after the start\n", seconds_since(begin));
  const double peak = peak_ops_per_second(usable_isa()) * options.threads;
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    fmt::print("{}: kernel {}, {} thread(s), peak {:.2f} TOPS in this process\n", options.arithmetic[i],
               sessions[i].kernel(), options.threads, peak * 1e-12);
    check(dlrm, session_options(options, options.arithmetic[i]), uniform_pairs);
  }
  if (!options.against.empty()) {
    compare_with_peer(options, dlrm);
    return 0;
  }
  const Pairs zipf_pairs(dlrm, 1.05);
  for (const Pairs* pairs : {&uniform_pairs, &zipf_pairs}) {
    for (std::int64_t batch : options.batches) {
      for (std::size_t i = 0; i < sessions.size(); ++i) {
        measure(sessions[i], options.arithmetic[i], *pairs, batch, pairs == &zipf_pairs ? "Zipf" : "uniform",
                options.seconds, peak);
      }
    }
  }
  fmt::print("peak in this process now {:.2f} TOPS; {}\n",
             peak_ops_per_second(usable_isa()) * options.threads * 1e-12, memory_line());
  return 0;
}

}  // namespace
}  // namespace octavo

int main(int argc, char** argv) {
  octavo::Options options;
  CLI::App app("times DLRM scoring");
  app.add_option("--scale", options.scale, "rows of the large tables, as a part of the real ones");
  app.add_option("--format", options.format, "row format");
  app.add_option("--threads", options.threads);
  app.add_option("--batch", options.batches)->delimiter(',');
  app.add_option("--seconds", options.seconds, "for each line");
  app.add_option("--kernel", options.kernel);
  app.add_option("--arithmetic", options.arithmetic)
      ->delimiter(',')
      ->check(CLI::IsMember({"f32", "bf16", "int8"}));
  app.add_option("--package", options.package, "a package of this shape instead of made-up tables");
  app.add_option("--against", options.against, "compare with this, in turns")
      ->check(CLI::IsMember({"onnxruntime", "openvino"}));
  app.add_option("--library", options.library, "its shared library");
  app.add_option("--rounds", options.rounds, "turns of each within --seconds")->check(CLI::Range(1, 1000));
  app.add_flag("--mapped", options.is_mapped, "leave the package's tables in their files");
  CLI11_PARSE(app, argc, argv);
  try {
    return octavo::run(options);
  } catch (const octavo::Error& error) {
    fmt::print(stderr, "dlrm_bench: {}\n", error.what());
    return 1;
  }
}
