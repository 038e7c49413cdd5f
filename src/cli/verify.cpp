#include <fmt/format.h>

#include "base/cpu.h"
#include "base/fail.h"
#include "cli/dlrm_verbs.h"
#include "cli/model_options.h"
#include "cli/scoring.h"
#include "cli/verification.h"
#include "data/models_json.h"
#include "data/npz.h"

namespace octavo::cli {
namespace {

struct Options {
  ModelOptions model;
  RunOptions run;
  std::string all;
  std::string reference;
  std::string images;
  std::string layers;
  std::string recipe = "torchvision-imagenet";
  std::string expect = "equal";
  double tolerance = 0.0;
  double min_top1 = 0.0;
  DlrmOptions dlrm;
  DlrmExpectation dlrm_expectation;
  bool checksums = false;
};

std::vector<std::int64_t> picture_shape(const Package& package) {
  const std::vector<std::int64_t> shape = package.inputs().at(0).shape;
  return {shape.begin() + 1, shape.end()};
}

Pictures open_pictures(const std::filesystem::path& path, const Recipe& recipe,
                       std::span<const std::int64_t> shape) {
  Pictures pictures = load_pictures(open_dataset(path), recipe, shape, usable_threads(cpu_facts().system));
  for (const std::string& problem : pictures.problems) fmt::print(stderr, "octavo: {}\n", problem);
  return pictures;
}

std::set<std::string> output_names(const Package& package) {
  std::set<std::string> names;
  for (const PortInfo& port : package.outputs()) names.insert(port.name);
  return names;
}

Expectation expectation_of(const ModelEntry& entry) {
  switch (entry.expect) {
    case ModelEntry::Expect::equal:
      return {Expectation::Kind::equal, 0.0};
    case ModelEntry::Expect::close:
      return {Expectation::Kind::close, entry.max_abs};
    case ModelEntry::Expect::top1:
      return {Expectation::Kind::top1, entry.top1_tolerance};
    case ModelEntry::Expect::report:
      break;
  }
  return {Expectation::Kind::report, 0.0};
}

/// One line of `verify --all`: compiles, scores, compares. Whether the expectation holds; an error is a line
/// too.
bool verify_entry(const Options& options, const std::filesystem::path& folder, const ModelList& list,
                  const ModelEntry& entry, std::map<std::string, Pictures>& loaded) {
  const ModelInputs& inputs = list.inputs_of(entry);
  const std::string name = entry.model.filename().string();
  try {
    const Recipe& recipe = find_recipe(inputs.preprocess);
    if (!loaded.contains(inputs.name)) {
      loaded.emplace(inputs.name, open_pictures(folder / inputs.path, recipe, inputs.shape));
    }
    const Pictures& pictures = loaded.at(inputs.name);
    CompileOptions compile_options = options.model.compile_options();
    compile_options.input_shapes[""] = inputs.shape;
    compile_options.note = nullptr;
    const Package package = compile(folder / entry.model, compile_options);
    Session session(package, options.run.session_options());
    const Tensor scores = score(session, pictures, options.run.batch);
    const Verdict verdict = judge(pictures, scores, read_reference(folder / entry.reference),
                                  expectation_of(entry), recipe.class_offset, output_quantum(package));
    fmt::print("{}: {}\n", name, verdict_text(verdict));
    std::fflush(stdout);
    return verdict.holds;
  } catch (const Error& e) {
    fmt::print("{}: FAILED: {}\n", name, e.what());
    return false;
  }
}

void verify_all(const Options& options) {
  const std::filesystem::path folder = options.all;
  const ModelList list = read_models_json(folder / "models.json");
  std::map<std::string, Pictures> loaded;
  std::size_t held = 0;
  for (const ModelEntry& entry : list.models)
    held += verify_entry(options, folder, list, entry, loaded) ? 1 : 0;
  fmt::print("{} of {} models as expected\n", held, list.models.size());
  if (held != list.models.size()) throw ExitCode{1};
}

/// The place of the operator whose result a recorded module passes on: PyTorch hangs an identity of this name
/// into the modules that stand for additions and the like.
std::string place_of(const std::string& module) {
  constexpr std::string_view kIdentity = ".activation_post_process";
  return module.ends_with(kIdentity) ? module.substr(0, module.size() - kIdentity.size()) : module;
}

/// Compares every recorded layer (module path -> array) that is an operator of ours for the first picture;
/// modules without one (a batch-norm that was folded, a container) are only counted.
void verify_layers(const Options& options) {
  const NpzReader file(options.layers);
  ModelOptions model = options.model;
  model.layers = {"*"};
  const Package package = model.open();
  Session session(package, options.run.session_options());
  const Pictures pictures =
      open_pictures(options.images, find_recipe(options.recipe), picture_shape(package));
  session.set_input(package.inputs().at(0).name, pictures.view(0, 1));
  session.run();
  const std::set<std::string> ours_by_name = output_names(package);
  std::size_t compared = 0;
  std::size_t equal = 0;
  for (const std::string& name : file.names()) {
    const std::string place = place_of(name);
    if (!ours_by_name.contains(place)) continue;
    const Tensor theirs = file.tensor(name);
    const TensorView ours = session.output(place);
    std::vector<std::int64_t> shape = theirs.shape();
    if (shape.size() + 1 == ours.shape.size()) shape.insert(shape.begin(), 1);
    const Comparison c = compare(ours, {theirs.dtype(), shape, theirs.data()});
    fmt::print("{}: {}/{} equal, max diff {:.0f}\n", name, c.equal, c.values, c.max_abs);
    ++compared;
    equal += c.equal == c.values ? 1 : 0;
  }
  fmt::print("{} of {} layers equal; {} recorded modules have no operator of their own\n", equal, compared,
             file.names().size() - compared);
  if (compared == 0 || equal != compared) throw ExitCode{1};
}

Expectation asked_expectation(const Options& options) {
  const std::map<std::string, Expectation::Kind> kinds{{"equal", Expectation::Kind::equal},
                                                       {"close", Expectation::Kind::close},
                                                       {"top1", Expectation::Kind::top1},
                                                       {"report", Expectation::Kind::report}};
  return {kinds.at(options.expect), options.tolerance};
}

void verify_one(const Options& options) {
  const Package package = options.model.open();
  Session session(package, options.run.session_options());
  const Recipe& recipe = find_recipe(options.recipe);
  const Pictures pictures = open_pictures(options.images, recipe, picture_shape(package));
  const Tensor scores = score(session, pictures, options.run.batch);
  bool holds = pictures.problems.empty();
  if (!options.reference.empty()) {
    const Verdict verdict = judge(pictures, scores, read_reference(options.reference),
                                  asked_expectation(options), recipe.class_offset, output_quantum(package));
    fmt::print("{}: {}\n", package.name(), verdict_text(verdict));
    holds = verdict.holds;
  }
  const Accuracy accuracy = accuracy_of(scores, pictures.labels, recipe.class_offset);
  if (options.reference.empty()) {
    if (accuracy.labelled == 0) {
      fail(ErrorCode::invalid_argument, "'{}' gives its pictures no labels, and there is no --reference",
           options.images);
    }
    fmt::print("{}: {} pictures, top-1 {:.2f} %, top-5 {:.2f} %\n", package.name(), pictures.count(),
               100 * accuracy.top1_share(), 100 * accuracy.top5_share());
  }
  if (!holds || accuracy.top1_share() < options.min_top1) throw ExitCode{1};
}

void run(const Options& options) {
  if (!options.all.empty()) return verify_all(options);
  if (options.model.model.empty()) fail(ErrorCode::invalid_argument, "MODEL is missing (or --all FOLDER)");
  if (options.checksums) return verify_checksums(options.model.model);
  if (!options.dlrm.data.empty()) {
    DlrmExpectation expectation = options.dlrm_expectation;
    expectation.reference = options.reference;
    return verify_dlrm(options.model.model, options.run, options.dlrm, expectation);
  }
  if (options.images.empty())
    fail(ErrorCode::invalid_argument, "--images (or, for a DLRM, --data) is missing");
  options.layers.empty() ? verify_one(options) : verify_layers(options);
}

}  // namespace

void add_verify(CLI::App& app) {
  CLI::App* verb =
      app.add_subcommand("verify", "compare a model's outputs with a reference, or its classes with labels");
  const auto options = std::make_shared<Options>();
  options->model.declare(*verb);
  verb->get_option("MODEL")->required(false);
  options->run.declare(*verb);
  declare_pass(*verb, options->run.pass);
  verb->add_option("--all", options->all, "every model of FOLDER/models.json, a line each");
  verb->add_option("--reference", options->reference,
                   "recorded outputs (.npz with 'logits', and 'photo' names); DLRM: a model to score in f32");
  verb->add_option("--images", options->images,
                   "the pictures: a folder, a folder of class folders, or a tar of them");
  verb->add_option("--layers", options->layers,
                   "recorded layers of the first picture (.npz, module path -> array)");
  verb->add_option("--preprocess", options->recipe, "torchvision-imagenet, tf-imagenet or cifar10")
      ->capture_default_str();
  verb->add_option("--expect", options->expect, "what must hold of the outputs")
      ->check(CLI::IsMember({"equal", "close", "top1", "report"}))
      ->capture_default_str();
  verb->add_option("--tolerance", options->tolerance,
                   "close: the largest difference; top1: of the accuracy (0.001)");
  verb->add_option("--min-top1", options->min_top1, "the least accuracy (0.75)");
  verb->add_option("--data", options->dlrm.data, "DLRM: click data with labels, reference outputs, or both");
  verb->add_option("--max-difference", options->dlrm_expectation.tolerance,
                   "DLRM: the largest difference to reference outputs")
      ->capture_default_str();
  verb->add_option("--min-auc", options->dlrm_expectation.min_auc,
                   "DLRM: the least area under the ROC curve");
  verb->add_flag("--checksums", options->checksums,
                 "DLRM package: read every table and compare its checksum");
  options->dlrm.declare(*verb);
  verb->footer(
      std::string(kClickForms) +
      "Exits 0 when everything holds, 1 when not.\nExamples:\n"
      "  octavo verify net.pt --reference net.npz --images photos\n"
      "  octavo verify net.tar --images photos --min-top1 0.75\n  octavo verify --all data\n"
      "  octavo verify dlrm_40m --data terabyte_processed_test.bin --modulo 40000000 --min-auc 0.8025");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
