#include "package/dlrm_package.h"

#include <cstring>

#include "base/atomic_file.h"
#include "base/crc32c.h"
#include "base/fail.h"
#include "base/mapped_file.h"
#include "base/streamed_file.h"
#include "package/dlrm_manifest.h"

namespace octavo {
namespace {

constexpr std::string_view kManifest = "manifest.json";

std::string layer_member(std::string_view mlp, std::size_t i, std::string_view part) {
  return fmt::format("weights/{}_{}_{}.f32", mlp, i, part);
}

std::span<const std::byte> bytes_of(const Tensor& tensor) {
  return {tensor.data(), static_cast<std::size_t>(tensor.bytes())};
}

void write_whole(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_mlp(const std::filesystem::path& folder, std::string_view mlp,
               const std::vector<DlrmLayer>& layers) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    write_whole(folder / layer_member(mlp, i, "weights"), bytes_of(layers[i].weights));
    write_whole(folder / layer_member(mlp, i, "bias"), bytes_of(layers[i].bias));
  }
}

void add_checksums(std::string_view mlp, const std::vector<DlrmLayer>& layers, DlrmManifest& manifest) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    manifest.weights[layer_member(mlp, i, "weights")] = crc32c(bytes_of(layers[i].weights));
    manifest.weights[layer_member(mlp, i, "bias")] = crc32c(bytes_of(layers[i].bias));
  }
}

Tensor read_member(const std::filesystem::path& folder, const std::string& member,
                   std::vector<std::int64_t> shape, const DlrmManifest& manifest) {
  const auto expected = manifest.weights.find(member);
  if (expected == manifest.weights.end()) fail(ErrorCode::invalid_model, "'{}' has no checksum", member);
  const MappedFile file(folder / member);
  const std::span<const std::byte> bytes = file.bytes();
  const std::int64_t needed = element_count(shape) * dtype_bytes(DType::f32);
  if (std::ssize(bytes) != needed) {
    fail(ErrorCode::invalid_model, "'{}' has {} bytes, its shape {} needs {}", member, bytes.size(),
         shape_text(shape), needed);
  }
  if (const std::uint32_t found = crc32c(bytes); found != expected->second) {
    fail(ErrorCode::invalid_model, "'{}' is damaged: its checksum is {:08x}, expected {:08x}", member, found,
         expected->second);
  }
  return Tensor(TensorView{DType::f32, std::move(shape), bytes.data()});
}

void check_table_size(const DlrmPackage& package, std::size_t t) {
  const std::string member = table_member(t, package.model.tables[t].format);
  std::error_code error;
  const auto found = std::filesystem::file_size(package.folder / member, error);
  if (error) fail(ErrorCode::io, "cannot read '{}': {}", member, error.message());
  const std::int64_t expected = table_bytes(package.model, t);
  if (static_cast<std::int64_t>(found) != expected) {
    fail(ErrorCode::invalid_model, "'{}' has {} bytes, expected {}", member, found, expected);
  }
}

DlrmPackage open_folder(const std::filesystem::path& folder) {
  const MappedFile file(folder / kManifest);
  const std::span<const std::byte> text = file.bytes();
  DlrmManifest manifest = parse_dlrm_manifest({reinterpret_cast<const char*>(text.data()), text.size()});
  const DlrmModel& model = manifest.model;
  DlrmPackage package{folder, {}, {}, {}, {}};
  const auto read_layer = [&](std::string_view mlp, std::size_t i, std::int64_t outputs,
                              std::int64_t inputs) {
    return DlrmLayer{read_member(folder, layer_member(mlp, i, "weights"), {outputs, inputs}, manifest),
                     read_member(folder, layer_member(mlp, i, "bias"), {outputs}, manifest)};
  };
  for (std::size_t i = 0; i < model.bottom.size(); ++i) {
    package.bottom.push_back(read_layer("bottom", i, model.bottom[i], bottom_inputs(model, i)));
  }
  for (std::size_t i = 0; i < model.top.size(); ++i) {
    package.top.push_back(read_layer("top", i, model.top[i], top_inputs(model, i)));
  }
  package.model = std::move(manifest.model);
  package.provenance = std::move(manifest.provenance);
  for (std::size_t t = 0; t < package.model.tables.size(); ++t) check_table_size(package, t);
  return package;
}

}  // namespace

std::filesystem::path DlrmPackage::table_path(std::size_t t) const {
  return folder / table_member(t, model.tables.at(t).format);
}

bool is_package_folder(const std::filesystem::path& path) {
  return std::filesystem::is_regular_file(path / kManifest);
}

DlrmPackage open_dlrm_package(const std::filesystem::path& folder) {
  try {
    return open_folder(folder);
  } catch (const Error& e) {
    throw e.within(folder.string());
  }
}

void check_table(const DlrmPackage& package, std::size_t t) {
  const DlrmTable& table = package.model.tables.at(t);
  const std::filesystem::path path = package.table_path(t);
  StreamedFile file(path);
  std::vector<std::byte> piece(std::size_t{4} << 20U);
  std::uint32_t crc = 0;
  for (std::int64_t at = 0; at < file.size();) {
    const auto count = static_cast<std::size_t>(std::min(file.size() - at, std::ssize(piece)));
    file.read(at, std::span(piece).first(count));
    crc = crc32c(std::span(piece).first(count), crc);
    at += static_cast<std::int64_t>(count);
  }
  if (file.size() != table_bytes(package.model, t) || crc != table.crc32c) {
    fail(ErrorCode::invalid_model, "'{}' is damaged: its checksum is {:08x}, expected {:08x}", path.string(),
         crc, table.crc32c);
  }
}

std::string table_member(std::size_t t, RowFormat format) {
  return fmt::format("tables/{}.{}", t, row_format_name(format));
}

std::vector<std::string> dlrm_members(const DlrmModel& model) {
  std::vector<std::string> members{std::string(kManifest)};
  const auto add_mlp = [&](std::string_view mlp, std::size_t layers) {
    for (std::size_t i = 0; i < layers; ++i) {
      for (std::string_view part : {"weights", "bias"}) members.push_back(layer_member(mlp, i, part));
    }
  };
  add_mlp("bottom", model.bottom.size());
  add_mlp("top", model.top.size());
  for (std::size_t t = 0; t < model.tables.size(); ++t)
    members.push_back(table_member(t, model.tables[t].format));
  return members;
}

void write_dlrm_layers(const std::filesystem::path& folder, const std::vector<DlrmLayer>& bottom,
                       const std::vector<DlrmLayer>& top) {
  make_folder(folder / "weights");
  write_mlp(folder, "bottom", bottom);
  write_mlp(folder, "top", top);
}

void write_dlrm_manifest(const DlrmPackage& package) {
  check(package.model);
  for (std::size_t t = 0; t < package.model.tables.size(); ++t) check_table_size(package, t);
  DlrmManifest manifest{package.model, package.provenance, {}};
  add_checksums("bottom", package.bottom, manifest);
  add_checksums("top", package.top, manifest);
  const std::string text = dlrm_manifest_json(manifest);
  write_whole(package.folder / kManifest, std::as_bytes(std::span(text)));
}

}  // namespace octavo
