#include <cstddef>
#include <cstdint>
#include <span>

#include "data/decode.h"
#include "octavo/error.h"

/// Any bytes decode to a picture or to an Error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    octavo::decode_image(std::as_bytes(std::span(data, size)));
  } catch (const octavo::Error&) {
  }
  return 0;
}
