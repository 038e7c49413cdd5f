#include "package/package.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/fail.h"

namespace octavo {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormatVersion = 1;
constexpr std::string_view kFormat = "octavo-package";

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string checksum_text(std::span<const std::byte> bytes) { return fmt::format("{:08x}", crc32c(bytes)); }

Json port_json(const Plan& plan, const Port& port) {
  const PlanTensor& t = plan.tensors[static_cast<std::size_t>(port.tensor)];
  Json json{{"name", port.name}, {"dtype", dtype_name(t.dtype)}, {"shape", shape_text(t.shape)}};
  if (t.quantization && t.quantization->is_per_tensor()) {
    json["scale"] = t.quantization->scale();
    json["zero_point"] = t.quantization->zero_point();
  }
  return json;
}

std::string text_of(const Json& manifest) { return manifest.dump(1) + "\n"; }

std::string make_manifest(const Plan& plan, const std::vector<TensorView>& weights,
                          const Provenance& provenance) {
  Json json{{"format", kFormat},
            {"format_version", kFormatVersion},
            {"model", plan.name},
            {"compiler", provenance.compiler},
            {"source", {{"file", provenance.source}, {"sha256", provenance.source_sha256}}},
            {"inputs", Json::array()},
            {"outputs", Json::array()},
            {"crc32c", Json::object()}};
  for (const Port& port : plan.inputs) json["inputs"].push_back(port_json(plan, port));
  for (const Port& port : plan.outputs) json["outputs"].push_back(port_json(plan, port));
  const std::string plan_text = plan_json(plan);
  json["crc32c"]["plan.json"] = checksum_text(bytes_of(plan_text));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::span data(weights[i].data, static_cast<std::size_t>(weights[i].bytes()));
    json["crc32c"][plan.weights[i].member] = checksum_text(data);
  }
  return text_of(json);
}

Provenance provenance_in(const std::string& manifest) {
  try {
    const Json json = Json::parse(manifest);
    const Json source = json.value("source", Json::object());
    return {source.value("file", ""), source.value("sha256", ""), json.value("compiler", "")};
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::invalid_model, "manifest.json: {}", e.what());
  }
}

using Members = std::map<std::string, std::span<const std::byte>, std::less<>>;

std::span<const std::byte> member(const Members& members, std::string_view name) {
  const auto found = members.find(name);
  if (found == members.end()) fail(ErrorCode::invalid_model, "member '{}' is missing", name);
  return found->second;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void check_version(const Json& manifest) {
  if (manifest.value("format", "") != kFormat)
    fail(ErrorCode::invalid_model, "manifest.json is no {} manifest", kFormat);
  const auto version = manifest.at("format_version").get<std::int64_t>();
  if (version != kFormatVersion) {
    fail(ErrorCode::invalid_model, "format version {}, this Octavo reads {}", version, kFormatVersion);
  }
}

void check_checksums(const Json& manifest, const Members& members) {
  for (const auto& [name, expected] : manifest.at("crc32c").items()) {
    const std::string found = checksum_text(member(members, name));
    if (found != expected.get<std::string>()) {
      fail(ErrorCode::invalid_model, "member '{}' is damaged: its checksum is {}, expected {}", name, found,
           expected.get<std::string>());
    }
  }
}

std::vector<TensorView> weight_views(const Plan& plan, const Json& manifest, const Members& members) {
  std::vector<TensorView> views;
  for (const WeightsMember& w : plan.weights) {
    const auto bytes = member(members, w.member);
    if (!manifest.at("crc32c").contains(w.member))
      fail(ErrorCode::invalid_model, "'{}' has no checksum", w.member);
    TensorView view{w.dtype, w.shape, bytes.data()};
    if (view.bytes() != static_cast<std::int64_t>(bytes.size())) {
      fail(ErrorCode::invalid_model, "member '{}' has {} bytes, its shape {} needs {}", w.member,
           bytes.size(), shape_text(w.shape), view.bytes());
    }
    views.push_back(std::move(view));
  }
  return views;
}

Members members_in(std::span<const std::byte> file) {
  Members members;
  for (TarMember& m : read_tar(file)) {
    if (!members.emplace(m.name, m.bytes).second)
      fail(ErrorCode::invalid_model, "member '{}' is there twice", m.name);
  }
  return members;
}

std::shared_ptr<PackageData> read_members(const Members& members) {
  try {
    auto data = std::make_shared<PackageData>();
    data->manifest = text_of(member(members, "manifest.json"));
    const Json manifest = Json::parse(data->manifest);
    check_version(manifest);
    check_checksums(manifest, members);
    data->plan = parse_plan(text_of(member(members, "plan.json")));
    data->weights = weight_views(data->plan, manifest, members);
    return data;
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::invalid_model, "manifest.json: {}", e.what());
  }
}

std::vector<PortInfo> port_infos(const Plan& plan, const std::vector<Port>& ports) {
  std::vector<PortInfo> infos;
  for (const Port& port : ports) {
    const PlanTensor& t = plan.tensors[static_cast<std::size_t>(port.tensor)];
    infos.push_back({port.name, t.dtype, extents_at(t.shape, 1), is_per_image(t.shape), t.quantization});
  }
  return infos;
}

}  // namespace

void release_weights(const PackageData& package) noexcept {
  if (package.weights_of != nullptr) release_weights(*package.weights_of);
  if (const auto* file = std::get_if<MappedFile>(&package.memory)) file->release();
}

Package make_package(Plan plan, std::vector<Tensor> weights, const Provenance& provenance) {
  check(plan);
  OCTAVO_ASSERT(weights.size() == plan.weights.size());
  auto data = std::make_shared<PackageData>();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    OCTAVO_ASSERT(weights[i].dtype() == plan.weights[i].dtype && weights[i].shape() == plan.weights[i].shape);
    data->weights.push_back(weights[i].view());
  }
  data->manifest = make_manifest(plan, data->weights, provenance);
  data->plan = std::move(plan);
  data->memory = std::move(weights);
  return Package(std::move(data));
}

Package read_package(std::span<const std::byte> file) { return Package(read_members(members_in(file))); }

Package read_package(Tensor file) {
  auto data = read_members(members_in({file.data(), static_cast<std::size_t>(file.bytes())}));
  data->memory.emplace<std::vector<Tensor>>().push_back(std::move(file));
  return Package(std::move(data));
}

Package read_package(std::span<const std::byte> file, MappedFile weights) {
  Members members = members_in(file);
  members.merge(members_in(weights.bytes()));
  auto data = read_members(members);
  data->memory = std::move(weights);
  return Package(std::move(data));
}

Package with_plan(const Package& package, Plan plan) {
  check(plan);
  OCTAVO_ASSERT(plan.weights.size() == package.data().weights.size());
  auto data = std::make_shared<PackageData>();
  data->weights = package.data().weights;
  data->manifest = make_manifest(plan, data->weights, provenance_in(package.manifest()));
  data->plan = std::move(plan);
  data->weights_of = package.shared_data();
  return Package(std::move(data));
}

PackageTexts package_texts(const PackageData& package) {
  PackageTexts texts{plan_json(package.plan), package.manifest};
  try {
    Json manifest = Json::parse(texts.manifest);
    manifest.at("crc32c")["plan.json"] = checksum_text(bytes_of(texts.plan));
    texts.manifest = text_of(manifest);
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::invalid_model, "manifest.json: {}", e.what());
  }
  return texts;
}

std::vector<TarMember> package_members(const PackageData& package, const PackageTexts& texts) {
  std::vector<TarMember> members{{"manifest.json", bytes_of(texts.manifest)},
                                 {"plan.json", bytes_of(texts.plan)}};
  for (std::size_t i = 0; i < package.weights.size(); ++i) {
    const TensorView& w = package.weights[i];
    members.push_back({package.plan.weights[i].member, {w.data, static_cast<std::size_t>(w.bytes())}});
  }
  return members;
}

Package Package::open(const std::filesystem::path& path) {
  MappedFile file(path);
  try {
    auto data = read_members(members_in(file.bytes()));
    data->memory = std::move(file);
    return Package(std::move(data));
  } catch (const Error& e) {
    throw e.within(path.filename().string());
  }
}

void Package::save(const std::filesystem::path& path) const {
  const PackageTexts texts = package_texts(*data_);
  write_tar(path, package_members(*data_, texts));
}

const std::string& Package::name() const { return data_->plan.name; }
std::vector<PortInfo> Package::inputs() const { return port_infos(data_->plan, data_->plan.inputs); }
std::vector<PortInfo> Package::outputs() const { return port_infos(data_->plan, data_->plan.outputs); }
const std::string& Package::manifest() const { return data_->manifest; }
std::string Package::plan_text() const { return print(data_->plan); }

std::int64_t Package::weights_bytes() const {
  std::int64_t bytes = 0;
  for (const TensorView& w : data_->weights) bytes += w.bytes();
  return bytes;
}

}  // namespace octavo
