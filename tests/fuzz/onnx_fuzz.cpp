#include <cstddef>
#include <cstdint>
#include <span>

#include "compiler/import/onnx/import.h"
#include "compiler/passes/qdq_to_quantized.h"
#include "octavo/error.h"

/// Any bytes are an Error or a graph that keeps the rules.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    octavo::Graph graph = octavo::import_onnx(std::as_bytes(std::span(data, size)), {}, {});
    octavo::verify(graph);
    octavo::qdq_to_quantized(graph);
    octavo::verify(graph);
  } catch (const octavo::Error& e) {
    if (e.code() == octavo::ErrorCode::internal) __builtin_trap();
  }
  return 0;
}
