#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace octavo {

/// One set of labelled pictures that models are run on.
struct ModelInputs {
  enum class Kind { photos, class_folders, tar };

  std::string name;
  Kind kind = Kind::photos;
  std::filesystem::path path;       ///< folder or archive, relative to the list
  std::string preprocess;           ///< a Recipe's name
  std::vector<std::int64_t> shape;  ///< one picture's: channels, height, width
};

/// One model and what its outputs shall be.
struct ModelEntry {
  enum class Expect {
    equal,   ///< every output equals the reference's, bit for bit
    close,   ///< no output differs by more than `max_abs`
    top1,    ///< the accuracy differs by no more than `top1_tolerance`
    report,  ///< nothing is asked
  };
  enum class Arithmetic { fbgemm, ort };

  std::filesystem::path model;      ///< relative to the list
  std::filesystem::path reference;  ///< .npz, relative to the list
  std::string inputs;               ///< a ModelInputs' name
  Expect expect = Expect::report;
  double max_abs = 0;
  double top1_tolerance = 0;
  Arithmetic arithmetic = Arithmetic::fbgemm;
};

/// A list of models with their references (`models.json`).
struct ModelList {
  std::vector<ModelInputs> inputs;
  std::vector<ModelEntry> models;

  /// The inputs of an entry of this list.
  [[nodiscard]] const ModelInputs& inputs_of(const ModelEntry& entry) const;
};

/// Error(invalid_model) naming the entry, the key and its value: not JSON, a key missing or of the wrong
/// type, an unknown word, inputs that do not exist, a path that leaves the list's folder.
ModelList parse_models_json(std::string_view text);
/// The same of a file; errors start with its path.
ModelList read_models_json(const std::filesystem::path& path);

}  // namespace octavo
