#include "cli/model_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>

#include "base/fail.h"
#include "bench/placement.h"

namespace octavo::cli {
namespace {

std::vector<std::int64_t> parse_extents(std::string_view text, std::string_view whole) {
  std::vector<std::int64_t> extents;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    std::int64_t extent = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), extent);
    if (error != std::errc() || end != item.data() + item.size() || extent < 1) {
      fail(ErrorCode::invalid_argument, "--input-shape '{}': '{}' is no extent", whole, item);
    }
    extents.push_back(extent);
  }
  return extents;
}

}  // namespace

bool is_package(const std::filesystem::path& path) {
  constexpr std::size_t kMagicAt = 257;
  std::ifstream file(path, std::ios::binary);
  std::array<char, 5> magic{};
  file.seekg(kMagicAt);
  file.read(magic.data(), magic.size());
  return file && std::string_view(magic.data(), magic.size()) == "ustar";
}

void ModelOptions::declare(CLI::App& verb) {
  verb.add_option("MODEL", model,
                  "a package (saved_model.tar), a TorchScript file (.pt) or an ONNX file (.onnx)")
      ->required();
  // One value each, so that the positional arguments behind an option stay positional.
  verb.add_option("--input-shape", shapes,
                  "an input's extents without the batch: 3,224,224 or NAME:3,224,224")
      ->allow_extra_args(false);
  verb.add_option("--disable-pass", disabled_passes,
                  "leave out a pass of the optimiser (results do not change)")
      ->allow_extra_args(false);
  verb.add_option("--layer", layers,
                  "also return the result of this place of the model (module path, node name)")
      ->allow_extra_args(false);
  verb.add_flag("-q,--quiet", quiet, "no notes on stderr");
}

CompileOptions ModelOptions::compile_options() const {
  CompileOptions options;
  for (const std::string& text : shapes) {
    const std::size_t colon = text.rfind(':');
    const std::string name = colon == std::string::npos ? "" : text.substr(0, colon);
    options.input_shapes[name] = parse_extents(
        std::string_view(text).substr(name.size() + (colon == std::string::npos ? 0 : 1)), text);
  }
  options.disabled_passes.insert(disabled_passes.begin(), disabled_passes.end());
  options.layer_outputs = layers;
  if (!quiet) {
    options.note = [](const std::string& text) { fmt::print(stderr, "note: {}\n", text); };
  }
  return options;
}

Package ModelOptions::open() const {
  if (!is_package(model)) return compile(model, compile_options());
  if (!shapes.empty() || !disabled_passes.empty() || !layers.empty()) {
    fail(ErrorCode::invalid_argument,
         "'{}' is a compiled package: --input-shape, --disable-pass and --layer come too late", model);
  }
  return Package::open(model);
}

void declare_pass(CLI::App& verb, PassShape& pass) {
  verb.add_option("--images-per-pass", pass.images, "images that go through a model at a time");
  verb.add_option("--row-bands", pass.row_bands,
                  "bands in which large steps go down an image together; 1 = each step whole");
  verb.add_option("--l2-kib", pass.l2_kib,
                  "L2 for activations: steps with more are done for fewer images at a time");
  verb.add_flag("--keep-layout", pass.keeps_layout,
                "no step writes its result in the layout that the next one wants");
}

void RunOptions::declare(CLI::App& verb) {
  verb.add_option("-t,--threads", threads, "threads of the session")->check(CLI::Range(1, 1024));
  verb.add_option("--cpus", cpus, "pin the threads to these CPUs: 0-3,8");
  verb.add_option("-b,--batch", batch, "inputs per run")->check(CLI::Range(1, 1 << 20));
  verb.add_option("--kernels", kernels, "force kernel rows: conv2d:reference,linear:onednn");
}

SessionOptions RunOptions::session_options() const {
  SessionOptions options;
  options.threads = threads;
  if (!cpus.empty()) options.cpus = bench::read_cpu_list(cpus);
  options.kernels = kernels;
  options.pass = pass;
  return options;
}

std::string bytes_text(std::int64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000.0 && unit + 1 < kUnits.size()) {
    value /= 1000.0;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace octavo::cli
