#include <cstddef>
#include <cstdint>
#include <span>

#include "data/npy.h"
#include "octavo/error.h"

/// Any bytes are an array of numbers, of text, or an Error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    octavo::parse_npy(bytes);
  } catch (const octavo::Error&) {
  }
  try {
    octavo::parse_npy_text(bytes);
  } catch (const octavo::Error&) {
  }
  return 0;
}
