#include "data/models_json.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/assert.h"
#include "base/fail.h"
#include "base/mapped_file.h"
#include "data/preprocess.h"

namespace octavo {
namespace {

using nlohmann::json;

/// A value as it stands in the file, short enough for a message.
std::string shown(const json& value) {
  constexpr std::size_t kMostCharacters = 60;
  std::string text = value.is_structured() ? value.type_name() : value.dump(-1, ' ', true);
  if (text.size() > kMostCharacters) text = text.substr(0, kMostCharacters) + "…";
  return text;
}

const json& member(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) fail(ErrorCode::invalid_model, "'{}' is missing", key);
  return *found;
}

std::string text(const json& object, const char* key) {
  const json& value = member(object, key);
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
    fail(ErrorCode::invalid_model, "'{}' is {}, expected text", key, shown(value));
  }
  return value.get<std::string>();
}

double tolerance(const json& object, const char* key) {
  const json& value = member(object, key);
  if (!value.is_number() || !(value.get<double>() >= 0)) {
    fail(ErrorCode::invalid_model, "'{}' is {}, expected a number of at least 0", key, shown(value));
  }
  return value.get<double>();
}

std::filesystem::path inner_path(const json& object, const char* key) {
  std::filesystem::path path = text(object, key);
  const bool climbs = std::any_of(path.begin(), path.end(), [](const auto& part) { return part == ".."; });
  if (path.is_absolute() || climbs) {
    fail(ErrorCode::invalid_model, "'{}' is {}, which leaves the list's folder", key, shown(object.at(key)));
  }
  return path;
}

template <class Value, std::size_t N>
Value word(const json& object, const char* key,
           const std::array<std::pair<std::string_view, Value>, N>& words) {
  const std::string found = text(object, key);
  std::string known;
  for (const auto& [name, value] : words) {
    if (found == name) return value;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
  }
  fail(ErrorCode::invalid_model, "'{}' is {}, expected one of {}", key, shown(object.at(key)), known);
}

std::vector<std::int64_t> picture_shape(const json& object) {
  const json& value = member(object, "shape");
  std::vector<std::int64_t> shape;
  const auto is_extent = [](const json& n) { return n.is_number_integer() && n > 0 && n <= 65536; };
  if (!value.is_array() || value.size() != 3 || !std::all_of(value.begin(), value.end(), is_extent)) {
    fail(ErrorCode::invalid_model, "'shape' is {}, expected [channels, height, width]",
         value.dump(-1, ' ', true).substr(0, 60));
  }
  for (const json& extent : value) shape.push_back(extent.get<std::int64_t>());
  return shape;
}

ModelInputs read_inputs(const std::string& name, const json& object) {
  using Kind = ModelInputs::Kind;
  constexpr std::array<std::pair<std::string_view, Kind>, 3> kKinds{
      {{"photos", Kind::photos}, {"class_folders", Kind::class_folders}, {"tar", Kind::tar}}};
  ModelInputs inputs;
  inputs.name = name;
  inputs.kind = word(object, "kind", kKinds);
  inputs.path = inner_path(object, inputs.kind == Kind::tar ? "archive" : "folder");
  inputs.preprocess = text(object, "preprocess");
  static_cast<void>(find_recipe(inputs.preprocess));
  inputs.shape = picture_shape(object);
  return inputs;
}

ModelEntry read_model(const json& object) {
  using Expect = ModelEntry::Expect;
  using Arithmetic = ModelEntry::Arithmetic;
  constexpr std::array<std::pair<std::string_view, Expect>, 4> kExpectations{{{"equal", Expect::equal},
                                                                              {"close", Expect::close},
                                                                              {"top1", Expect::top1},
                                                                              {"report", Expect::report}}};
  constexpr std::array<std::pair<std::string_view, Arithmetic>, 2> kArithmetics{
      {{"fbgemm", Arithmetic::fbgemm}, {"ort", Arithmetic::ort}}};
  ModelEntry entry;
  entry.model = inner_path(object, "model");
  entry.reference = inner_path(object, "reference");
  entry.inputs = text(object, "inputs");
  entry.expect = word(object, "expect", kExpectations);
  if (entry.expect == Expect::close) entry.max_abs = tolerance(object, "max_abs");
  if (entry.expect == Expect::top1) entry.top1_tolerance = tolerance(object, "top1_tolerance");
  if (object.contains("arithmetic")) entry.arithmetic = word(object, "arithmetic", kArithmetics);
  return entry;
}

template <class Read>
auto within(const std::string& place, const json& object, Read read) {
  try {
    if (!object.is_object()) fail(ErrorCode::invalid_model, "is {}, expected an object", shown(object));
    return read();
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid_model, error.within(place).what());
  }
}

}  // namespace

const ModelInputs& ModelList::inputs_of(const ModelEntry& entry) const {
  const auto found =
      std::find_if(inputs.begin(), inputs.end(), [&](const auto& i) { return i.name == entry.inputs; });
  OCTAVO_ASSERT(found != inputs.end());
  return *found;
}

ModelList parse_models_json(std::string_view list_text) {
  const json all = json::parse(list_text, nullptr, false);
  if (all.is_discarded()) fail(ErrorCode::invalid_model, "not JSON");
  if (!all.is_object()) fail(ErrorCode::invalid_model, "is {}, expected an object", shown(all));
  const json& inputs = member(all, "inputs");
  const json& models = member(all, "models");
  if (!inputs.is_object())
    fail(ErrorCode::invalid_model, "'inputs' is {}, expected an object", shown(inputs));
  if (!models.is_array()) fail(ErrorCode::invalid_model, "'models' is {}, expected an array", shown(models));
  ModelList list;
  for (const auto& [name, object] : inputs.items()) {
    list.inputs.push_back(
        within("inputs '" + name + "'", object, [&, &n = name, &o = object] { return read_inputs(n, o); }));
  }
  for (std::size_t i = 0; i < models.size(); ++i) {
    const std::string place = fmt::format("model {}", i);
    ModelEntry entry = within(place, models[i], [&] { return read_model(models[i]); });
    const bool is_known = inputs.contains(entry.inputs);
    if (!is_known)
      fail(ErrorCode::invalid_model, "{}: 'inputs' is {}, which is not defined", place, shown(entry.inputs));
    list.models.push_back(std::move(entry));
  }
  return list;
}

ModelList read_models_json(const std::filesystem::path& path) {
  const MappedFile file(path);
  try {
    return parse_models_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
  } catch (const Error& error) {
    throw error.within(path.string());
  }
}

}  // namespace octavo
