#include <cstddef>
#include <cstdint>
#include <span>

#include "compiler/import/torchscript/pickle.h"
#include "octavo/error.h"

/// Any bytes as a pickle: a value or an Error, nothing else.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    octavo::torchscript::Heap heap;
    octavo::torchscript::read_pickle(std::as_bytes(std::span(data, size)), "data/", heap);
  } catch (const octavo::Error&) {
  }
  return 0;
}
