#pragma once
#include <string>
#include <vector>

#include "cli/verbs.h"
#include "octavo/compile.h"

namespace octavo::cli {

/// The options that every verb with a MODEL argument shares, and what they ask for.
struct ModelOptions {
  std::string model;
  std::vector<std::string> shapes;  ///< "3,224,224" or "x:3,224,224"
  std::vector<std::string> disabled_passes;
  std::vector<std::string> layers;
  bool quiet = false;

  /// Declares MODEL, --input-shape, --disable-pass, --layer and --quiet.
  void declare(CLI::App& verb);
  /// Notes go to stderr unless quiet. Error(invalid_argument) for a shape that cannot be read.
  [[nodiscard]] CompileOptions compile_options() const;
  /// Opens a package, or compiles a model file in memory.
  [[nodiscard]] Package open() const;
};

/// Whether the file is a package (a tar) rather than a model to compile.
bool is_package(const std::filesystem::path& path);

/// Declares --images-per-pass, --row-bands, --l2-kib and --keep-layout; results do not depend on them.
void declare_pass(CLI::App& verb, PassShape& pass);

/// The options of every verb that runs a Session.
struct RunOptions {
  int threads = 1;
  std::string cpus;
  std::int64_t batch = 8;
  std::string kernels;
  PassShape pass;

  /// Declares --threads, --cpus, --batch and --kernels.
  void declare(CLI::App& verb);
  [[nodiscard]] SessionOptions session_options() const;
};

/// "640 B", "25.5 MB"
std::string bytes_text(std::int64_t bytes);

}  // namespace octavo::cli
