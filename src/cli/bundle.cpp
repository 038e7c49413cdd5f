#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "base/sha256.h"
#include "base/streamed_file.h"
#include "base/version.h"
#include "cli/byte_progress.h"
#include "cli/dlrm_model.h"
#include "cli/embedded.h"
#include "cli/model_options.h"
#include "cli/own_libraries.h"
#include "data/labels.h"
#include "data/tgz.h"
#include "package/dlrm_package.h"

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
  }
  SavedPackage(const SavedPackage&) = delete;
  SavedPackage& operator=(const SavedPackage&) = delete;
  ~SavedPackage() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// The members of a bundle, with the memory of those that are made for it.
class Bundle {
 public:
  explicit Bundle(std::string folder) : folder_(std::move(folder)) {}

  void add(const std::string& name, std::span<const std::byte> bytes, bool is_program = false) {
    members_.push_back({folder_ + "/" + name, bytes, is_program});
  }
  void add_file(const std::string& name, const std::filesystem::path& path, bool is_program = false) {
    members_.push_back({folder_ + "/" + name, {}, is_program, path});
  }
  void add_text(const std::string& name, std::string text) {
    texts_.push_back(std::move(text));
    add(name, std::as_bytes(std::span(texts_.back())));
  }
  /// manifest.json and SHA256SUMS, about all members so far.
  void add_manifest(const std::string& model) {
    nlohmann::ordered_json manifest{{"format", "octavo-bundle"},
                                    {"octavo", kVersion},
                                    {"model", model},
                                    {"cpu", "x86-64-v2"},
                                    {"files", nlohmann::ordered_json::array()}};
    std::string sums;
    for (const TgzMember& member : members_) {
      const std::string name = member.name.substr(folder_.size() + 1);
      const auto [bytes, sum] = content_of(member);
      bytes_ += bytes;
      manifest["files"].push_back({{"name", name}, {"bytes", bytes}, {"sha256", sum}});
      sums += fmt::format("{}  {}\n", sum, name);
    }
    add_text("manifest.json", manifest.dump(1) + "\n");
    add_text("SHA256SUMS", sums);
  }
  void write(const std::string& path) const {
    ByteProgress line(path);
    write_tgz(path, members_, [&](std::int64_t done) { line.update(done, std::max(done, bytes_)); });
  }
  [[nodiscard]] std::size_t files() const noexcept { return members_.size(); }

 private:
  struct Content {
    std::int64_t bytes;
    std::string sha256;
  };
  static Content content_of(const TgzMember& member) {
    if (member.file.empty()) return {std::ssize(member.bytes), sha256_hex(member.bytes)};
    const StreamedFile file(member.file);
    Sha256 sum;
    file.read_all([&](std::span<const std::byte> piece) { sum.update(piece); });
    return {file.size(), sum.hex()};
  }

  std::string folder_;
  std::vector<TgzMember> members_;
  std::deque<std::string> texts_;
  std::int64_t bytes_ = 0;  ///< of the members that the manifest lists
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

void finish(Bundle& bundle, const std::string& model, const std::string& output) {
  bundle.add_manifest(model);
  bundle.write(output);
  fmt::print("{}: {} files, {}\n", output, bundle.files(),
             bytes_text(static_cast<std::int64_t>(std::filesystem::file_size(output))));
}

void bundle_dlrm(const Options& options) {
  const std::string& model = options.model.model;
  if (!options.labels.empty())
    fail(ErrorCode::invalid_argument, "--labels: '{}' is a DLRM, which has no classes", model);
  if (!is_package_folder(model)) {
    fail(ErrorCode::unsupported, "'{}' is a DLRM but no package: octavo prepare dlrm --from makes one of it",
         model);
  }
  Bundle bundle(folder_name(options.output));
  const DlrmPackage package = open_dlrm_package(model);
  bundle.add("README.txt", embedded_file("README_dlrm.txt"));
  bundle.add("bench.sh", embedded_file("bench.sh"), true);
  add_program(bundle);
  for (const std::string& member : dlrm_members(package.model))
    bundle.add_file("saved_model/" + member, package.folder / member);
  finish(bundle, package.model.name, options.output);
}

void run(const Options& options) {
  if (is_dlrm(options.model.model)) return bundle_dlrm(options);
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
  bundle.add_file("saved_model.tar", saved.path());
  finish(bundle, package.name(), options.output);
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
      "A DLRM package goes in as the folder saved_model.\n"
      "Examples:\n  octavo bundle tuned/saved_model_300.tar -o resnet50.tgz --labels "
      "imagenet_class_index.json\n"
      "  octavo bundle dlrm_package -o dlrm.tgz");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
