#include <fmt/format.h>

#include "base/version.h"
#include "cli/verbs.h"
#include "octavo/error.h"

namespace octavo::cli {
namespace {

constexpr int kFailure = 1;
constexpr int kUsage = 2;

int run(int argc, char** argv) {
  CLI::App app("Octavo compiles trained models for this CPU and runs them.", "octavo");
  app.set_version_flag("--version", fmt::format("octavo {}", kVersion));
  app.require_subcommand(1);
  app.footer("octavo VERB --help shows a verb's options and examples.");
  for (auto* add : {add_compile, add_run, add_verify, add_inspect, add_cpu, add_kernels, add_bench,
                    add_profile, add_prepare, add_tune, add_bundle, add_demo})
    add(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  }
  return 0;
}

}  // namespace
}  // namespace octavo::cli

int main(int argc, char** argv) {
  try {
    return octavo::cli::run(argc, argv);
  } catch (const octavo::cli::ExitCode& e) {
    return e.code;
  } catch (const octavo::cli::UsageError& e) {
    fmt::print(stderr, "octavo: {}\n", e.what());
    return octavo::cli::kUsage;
  } catch (const octavo::Error& e) {
    fmt::print(stderr, "octavo: {}\n", e.what());
  } catch (const std::exception& e) {
    fmt::print(stderr, "octavo: unexpected error: {}\n", e.what());
  }
  return octavo::cli::kFailure;
}
