#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "base/mapped_file.h"
#include "compiler/import/onnx/proto.h"

namespace octavo::onnx_import {

/// Bytes of a file beside a model.
struct ExternalPlace {
  std::filesystem::path file;
  std::int64_t offset = 0;
  std::int64_t length = 0;
};

/// The files beside a model in which it keeps tensors. Each is mapped once, when first asked for, and stays
/// mapped as long as this lives.
class ExternalFiles {
 public:
  /// `folder` is where locations start; empty for a model that has no place on disk.
  explicit ExternalFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The bytes that `tensor` says are its data. Error naming the location when it is absolute or leads out of
  /// the folder (also through a symbolic link), when the file is missing, or when offset and length leave it.
  std::span<const std::byte> bytes(const onnx::TensorProto& tensor);
  /// Where they are, without reading them. Errors as `bytes`.
  [[nodiscard]] ExternalPlace place(const onnx::TensorProto& tensor) const;

  /// The size of all files mapped so far.
  [[nodiscard]] std::size_t mapped_bytes() const noexcept { return mapped_bytes_; }

 private:
  std::span<const std::byte> file(const std::string& location);

  std::filesystem::path folder_;
  std::map<std::string, MappedFile> files_;
  std::size_t mapped_bytes_ = 0;
};

}  // namespace octavo::onnx_import
