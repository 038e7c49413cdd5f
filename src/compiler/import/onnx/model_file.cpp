#include "compiler/import/onnx/model_file.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

#include <limits>

#include "base/fail.h"

namespace octavo::onnx_import {
namespace {

/// A subgraph inside a node takes three levels; real models need fewer than ten of them.
constexpr int kDeepestNesting = 64;

}  // namespace

onnx::ModelProto parse_model(std::span<const std::byte> bytes) {
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (bytes.size() > kMost) {
    fail(ErrorCode::unsupported, "{} bytes: larger models keep their tensors in external files",
         bytes.size());
  }
  const google::protobuf::LogSilencer silence;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetTotalBytesLimit(static_cast<int>(kMost));
  stream.SetRecursionLimit(kDeepestNesting);
  onnx::ModelProto model;
  if (!model.MergePartialFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    fail(ErrorCode::invalid_model, "no ONNX model, or a truncated or damaged one ({} bytes)", bytes.size());
  }
  if (!model.has_graph()) fail(ErrorCode::invalid_model, "no ONNX model: 'graph' is missing");
  return model;
}

}  // namespace octavo::onnx_import
