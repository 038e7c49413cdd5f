#include <fmt/format.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "base/mapped_file.h"
#include "base/sha256.h"
#include "base/version.h"
#include "cli/dlrm_model.h"
#include "cli/embedded.h"
#include "cli/model_options.h"
#include "cli/own_libraries.h"
#include "data/labels.h"
#include "data/tgz.h"

namespace octavo::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string output, labels;
};

/// A package's file while it is put into a bundle.
class SavedPackage {
 public:
  SavedPackage(const Package& package, std::filesystem::path path) : path_(std::move(path)) {
    package.save(path_);
    file_ = MappedFile(path_);
  }
  SavedPackage(const SavedPackage&) = delete;
  SavedPackage& operator=(const SavedPackage&) = delete;
  ~SavedPackage() { std::filesystem::remove(path_); }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return file_.bytes(); }

 private:
  std::filesystem::path path_;
  MappedFile file_;
};

/// The members of a bundle, with the memory of those that are not mapped elsewhere.
class Bundle {
 public:
  explicit Bundle(std::string folder) : folder_(std::move(folder)) {}

  void add(const std::string& name, std::span<const std::byte> bytes, bool is_program = false) {
    members_.push_back({folder_ + "/" + name, bytes, is_program});
  }
  void add_file(const std::string& name, const std::filesystem::path& path, bool is_program = false) {
    files_.emplace_back(path);
    add(name, files_.back().bytes(), is_program);
  }
  void add_text(const std::string& name, std::string text) {
    texts_.push_back(std::move(text));
    add(name, std::as_bytes(std::span(texts_.back())));
  }
  /// manifest.json and SHA256SUMS, about all members so far.
  void add_manifest(const Package& package) {
    nlohmann::ordered_json manifest{{"format", "octavo-bundle"},
                                    {"octavo", kVersion},
                                    {"model", package.name()},
                                    {"cpu", "x86-64-v2"},
                                    {"files", nlohmann::ordered_json::array()}};
    std::string sums;
    for (const TgzMember& member : members_) {
      const std::string name = member.name.substr(folder_.size() + 1);
      const std::string sum = sha256_hex(member.bytes);
      manifest["files"].push_back({{"name", name}, {"bytes", member.bytes.size()}, {"sha256", sum}});
      sums += fmt::format("{}  {}\n", sum, name);
    }
    add_text("manifest.json", manifest.dump(1) + "\n");
    add_text("SHA256SUMS", sums);
  }
  [[nodiscard]] std::span<const TgzMember> members() const noexcept { return members_; }

 private:
  std::string folder_;
  std::vector<TgzMember> members_;
  std::deque<MappedFile> files_;
  std::deque<std::string> texts_;
};

void add_program(Bundle& bundle) {
  bundle.add("bin/octavo", embedded_file("octavo_launcher"), true);
  bundle.add_file("lib/octavo", own_program(), true);
  for (const std::filesystem::path& library : own_libraries()) {
    const std::string name = library.filename().string();
    bundle.add_file("lib/" + name, library, name.starts_with("ld-"));
  }
}

/// "resnet50" of "out/resnet50.tgz" and of "resnet50.tar.gz"
std::string folder_name(const std::filesystem::path& output) {
  std::string name = output.filename().string();
  for (const std::string_view ending : {".tgz", ".tar.gz"}) {
    if (name.ends_with(ending)) name = name.substr(0, name.size() - ending.size());
  }
  if (name.empty()) fail(ErrorCode::invalid_argument, "'{}' names no bundle", output.string());
  return name;
}

void run(const Options& options) {
  if (is_dlrm(options.model.model))
    fail(ErrorCode::unsupported, "'{}' is a DLRM, which bundles do not carry", options.model.model);
  Bundle bundle(folder_name(options.output));
  if (!options.labels.empty())
    read_labels(options.labels);  // complains here rather than where it is unpacked
  const Package package = options.model.open();
  const SavedPackage saved(package, options.output + ".package");
  bundle.add("README.txt", embedded_file("README.txt"));
  bundle.add("bench.sh", embedded_file("bench.sh"), true);
  add_program(bundle);
  if (!options.labels.empty()) {
    bundle.add_file("labels" + std::filesystem::path(options.labels).extension().string(), options.labels);
  }
  bundle.add("saved_model.tar", saved.bytes());
  bundle.add_manifest(package);
  write_tgz(options.output, bundle.members());
  fmt::print("{}: {} files, {}\n", options.output, bundle.members().size(),
             bytes_text(static_cast<std::int64_t>(std::filesystem::file_size(options.output))));
}

}  // namespace

void add_bundle(CLI::App& app) {
  CLI::App* verb = app.add_subcommand(
      "bundle", "pack a model and all that runs it into an archive for other Linux machines");
  const auto options = std::make_shared<Options>();
  options->model.declare(*verb);
  verb->add_option("-o,--output", options->output, "the archive to write: NAME.tgz, which unpacks to NAME/")
      ->required();
  verb->add_option("--labels", options->labels, "names of the classes, to go with it");
  verb->footer(
      "Where it is unpacked nothing needs to be installed: ./bench.sh, bin/octavo run saved_model.tar ...\n"
      "Examples:\n  octavo bundle tuned/saved_model_300.tar -o resnet50.tgz --labels "
      "imagenet_class_index.json");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
