#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "base/fail.h"
#include "cli/arrays.h"
#include "cli/dlrm_verbs.h"
#include "cli/model_options.h"
#include "cli/scoring.h"
#include "data/labels.h"
#include "data/npy.h"
#include "data/npz.h"

namespace octavo::cli {
namespace {

struct Options {
  ModelOptions model;
  RunOptions run;
  DlrmOptions dlrm;
  std::vector<std::string> files;
  std::string output;
  std::string labels;
  std::string recipe = "torchvision-imagenet";
  std::int64_t top = 5;
  bool json = false;
};

void write_outputs(const std::string& path, const std::vector<NpzMember>& members) {
  if (has_extension(path, ".npy")) {
    write_npy(path, std::get<TensorView>(members.front().value));
  } else {
    write_npz(path, members);
  }
}

void run_on_arrays(const Options& options, Session& session) {
  const auto arrays = read_arrays(options.files, session.package().inputs());
  for (const auto& [name, array] : arrays) session.set_input(name, array.view());
  session.run();
  std::vector<NpzMember> members;
  for (const PortInfo& port : session.package().outputs()) {
    const TensorView out = session.output(port.name);
    members.push_back({port.name, out});
    fmt::print("{}: {}{}\n", port.name, dtype_name(out.dtype), shape_text(out.shape));
  }
  if (!options.output.empty()) write_outputs(options.output, members);
}

std::string class_name(const std::vector<std::string>& labels, std::int64_t index) {
  return index >= 0 && index < static_cast<std::int64_t>(labels.size())
             ? labels[static_cast<std::size_t>(index)]
             : fmt::format("class {}", index);
}

void print_best(const Options& options, const Pictures& pictures, const Tensor& scores,
                const std::vector<std::string>& labels, std::int64_t class_offset) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (std::int64_t i = 0; i < pictures.count(); ++i) {
    const std::string& name = pictures.names[static_cast<std::size_t>(i)];
    const auto row = row_of(scores, i);
    nlohmann::ordered_json best = nlohmann::ordered_json::array();
    if (!options.json) fmt::print("{}\n", name);
    for (std::int64_t c : top_classes(row, options.top)) {
      const float value = row[static_cast<std::size_t>(c)];
      best.push_back({{"class", c}, {"label", class_name(labels, c - class_offset)}, {"score", value}});
      if (!options.json) fmt::print("  {:9.4f}  {}\n", value, class_name(labels, c - class_offset));
    }
    json.push_back({{"picture", name}, {"best", best}});
  }
  if (options.json) fmt::print("{}\n", json.dump(1));
}

void run_on_pictures(const Options& options, Session& session) {
  const std::vector<PortInfo> inputs = session.package().inputs();
  const std::vector<std::int64_t> shape(inputs[0].shape.begin() + 1, inputs[0].shape.end());
  const Recipe& recipe = find_recipe(options.recipe);
  const std::vector<std::string> labels =
      options.labels.empty() ? std::vector<std::string>{} : read_labels(options.labels);
  const int threads = usable_threads(cpu_facts().system);
  const Pictures pictures = load_pictures(pictures_at(options.files), recipe, shape, threads);
  for (const std::string& problem : pictures.problems) fmt::print(stderr, "octavo: {}\n", problem);
  const Tensor scores = score(session, pictures, options.run.batch);
  if (pictures.count() > 0) {
    print_best(options, pictures, scores, labels, recipe.class_offset);
    if (!options.output.empty()) {
      write_outputs(options.output,
                    {{session.package().outputs()[0].name, scores.view()}, {"photo", pictures.names}});
    }
  }
  if (!pictures.problems.empty()) throw ExitCode{1};
}

void run_on_clicks(const Options& options) {
  if (options.files.size() != 1) {
    fail(ErrorCode::invalid_argument, "'{}' is one data set too many", options.files[1]);
  }
  DlrmOptions dlrm = options.dlrm;
  dlrm.data = options.files[0];
  run_dlrm(options.model.model, options.run, dlrm, options.output);
}

void run(const Options& options) {
  if (is_dlrm(options.model.model)) return run_on_clicks(options);
  Session session(options.model.open(), options.run.session_options());
  const bool arrays = has_extension(options.files[0], ".npy") || has_extension(options.files[0], ".npz");
  arrays ? run_on_arrays(options, session) : run_on_pictures(options, session);
}

}  // namespace

void add_run(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("run", "score pictures or arrays");
  const auto options = std::make_shared<Options>();
  options->model.declare(*verb);
  options->run.declare(*verb);
  declare_pass(*verb, options->run.pass);
  options->dlrm.declare(*verb);
  verb->add_option(
          "FILE", options->files,
          "pictures (JPEG, PNG), a folder or tar of them, arrays (.npy, .npz, NAME=x.npy), or, for a "
          "DLRM, click data")
      ->required();
  verb->add_option("-o,--output", options->output, "write the outputs to this .npz or .npy");
  verb->add_option("--labels", options->labels, "names of the classes: JSON or one a line");
  verb->add_option("--preprocess", options->recipe, "torchvision-imagenet, tf-imagenet or cifar10")
      ->capture_default_str();
  verb->add_option("-k,--top", options->top, "classes to show for each picture")->check(CLI::Range(1, 1000));
  verb->add_flag("--json", options->json, "for scripts");
  verb->footer(std::string(kClickForms) +
               "Examples:\n  octavo run resnet50.tar cat.jpg --labels imagenet_class_index.json\n"
               "  octavo run net.onnx x=input.npy -o outputs.npz\n"
               "  octavo run dlrm_40m terabyte_processed_test.bin --modulo 40000000 -o scores.npy");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
