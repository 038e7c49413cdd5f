#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/import/torchscript/archive.h"
#include "compiler/import/torchscript/value.h"

namespace octavo::torchscript {

/// Turns tensors of the file into dense ones.
class TensorReader {
 public:
  explicit TensorReader(Archive& archive) : archive_(archive) {}

  /// The elements in row-major order of `sizes`, whatever the strides. Error(invalid_model) naming the
  /// storage when the tensor leaves it, when its strides overlap so that it has more elements than the
  /// storage, or when all tensors read together have become much larger than the file can explain.
  Tensor read(const StoredTensor& tensor);
  /// The quantization of a quantized tensor, its scales rounded to f32; nothing for others.
  std::optional<Quantization> read_quantization(const StoredTensor& tensor);
  /// The only element of a tensor, as a number. Error(invalid_model) when it has several.
  double read_number(const StoredTensor& tensor);
  /// All elements of an integer tensor.
  std::vector<std::int64_t> read_integers(const StoredTensor& tensor);

 private:
  std::span<const std::byte> storage_bytes(const Storage& storage);
  void charge(std::int64_t bytes, const std::string& member);

  Archive& archive_;
  std::int64_t bytes_charged_ = 0;
  std::string last_member_;  ///< several tensors in a row may lie in one storage
  std::vector<std::byte> last_bytes_;
};

}  // namespace octavo::torchscript
