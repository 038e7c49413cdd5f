#include "octavo/compile.h"

#include <fmt/format.h>

#include "cli/artifacts.h"
#include "cli/model_options.h"

namespace octavo::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string output = "saved_model.tar";
  std::string output_folder;
  std::string weights = "inside";
  std::string dump_after;
};

void run(const Options& options) {
  CompileOptions compile_options = options.model.compile_options();
  if (!options.dump_after.empty()) {
    compile_options.after_pass = [&](std::string_view pass, const std::function<std::string()>& text,
                                     double ms) {
      if (options.dump_after != "all" && options.dump_after != pass) return;
      fmt::print("after {} ({:.1f} ms):\n{}\n", pass, ms, text());
    };
  }
  const Package package = compile(options.model.model, compile_options);
  if (!options.output_folder.empty())
    return write_artifacts(options.output_folder, package, 0, parse_library_weights(options.weights));
  package.save(options.output);
  fmt::print("{}: {} steps, weights {}\n", options.output, Session(package).steps().size(),
             bytes_text(package.weights_bytes()));
}

}  // namespace

void add_compile(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("compile", "turn a model file into a package");
  const auto options = std::make_shared<Options>();
  options->model.declare(*verb);
  verb->add_option("-o,--output", options->output, "the package to write")->capture_default_str();
  verb->add_option(
          "--output-folder", options->output_folder,
          "write saved_model_<N>.tar, saved_model_<N>.tar.so and model_serialized_tuned_<N>.json there "
          "instead")
      ->excludes("--output");
  verb->add_option("--weights", options->weights, "in the shared library, or external: in the package alone")
      ->check(CLI::IsMember({"inside", "external"}))
      ->capture_default_str();
  verb->add_option("--dump-after", options->dump_after, "print the graph after this pass ('import', 'all')");
  verb->footer(
      "Examples:\n  octavo compile resnet50.pt -o resnet50.tar\n  octavo compile net.pt --input-shape "
      "3,32,32");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
