#include "cli/artifacts.h"

#include <fmt/format.h>

#include "base/atomic_file.h"
#include "base/fail.h"
#include "base/streamed_file.h"
#include "cli/embedded.h"
#include "cli/model_options.h"
#include "package/dlrm_package.h"
#include "package/package.h"

namespace octavo::cli {
namespace {

void print_size(const std::filesystem::path& path) {
  fmt::print("{}: {}\n", path.string(),
             bytes_text(static_cast<std::int64_t>(std::filesystem::file_size(path))));
}

}  // namespace

void write_artifacts(const std::filesystem::path& folder, const Package& package, std::int64_t trials,
                     LibraryWeights weights) {
  make_folder(folder);
  const std::filesystem::path tar = folder / fmt::format("saved_model_{}.tar", trials);
  const std::filesystem::path library = folder / fmt::format("saved_model_{}.tar.so", trials);
  const std::filesystem::path plan = folder / fmt::format("model_serialized_tuned_{}.json", trials);
  package.save(tar);
  write_model_library(library, embedded_file("liboctavo_model.so"), package, weights);
  const std::string text = plan_json(package.data().plan);
  AtomicFile file(plan);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
  for (const auto& path : {tar, library, plan}) print_size(path);
}

void write_choices(const std::filesystem::path& package_folder, std::span<const DlrmTuning> choices) {
  DlrmPackage package = open_dlrm_package(package_folder);
  for (const DlrmTuning& choice : choices) set_tuning(package.model, choice);
  write_dlrm_manifest(package);
  for (const DlrmTuning& choice : choices) {
    fmt::print("{}: {} on {} takes {}{} from now on\n", package_folder.string(), choice.arithmetic,
               choice.isa, choice.kernel,
               choice.samples_per_pass > 0 ? fmt::format(":{}", choice.samples_per_pass) : "");
  }
}

void require_writable(const std::filesystem::path& folder) {
  make_folder(folder);
  const AtomicFile trial(folder / "saved_model");
}

LibraryWeights parse_library_weights(const std::string& text) {
  return text == "external" ? LibraryWeights::external : LibraryWeights::inside;
}

}  // namespace octavo::cli
