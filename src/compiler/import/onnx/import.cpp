#include "compiler/import/onnx/import.h"

#include "base/fail.h"
#include "base/mapped_file.h"
#include "compiler/import/onnx/model_file.h"
#include "compiler/import/onnx/model_import.h"

namespace octavo {

Graph import_onnx(const std::filesystem::path& path, const OnnxOptions& options) {
  const MappedFile file(path);
  // A bare file name has an empty parent, which would mean "no folder".
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  return import_onnx(file.bytes(), folder, options);
}

Graph import_onnx(std::span<const std::byte> bytes, const std::filesystem::path& folder,
                  const OnnxOptions& options) {
  const onnx::ModelProto model = onnx_import::parse_model(bytes);
  return onnx_import::ModelImport(model, bytes.size(), folder, options).run();
}

}  // namespace octavo
