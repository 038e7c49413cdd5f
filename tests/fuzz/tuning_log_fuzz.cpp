#include <cstddef>
#include <cstdint>

#include "compiler/tune/log.h"
#include "input_file.h"
#include "octavo/error.h"

/// Any bytes are a log: trials, and lines that are none.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const InputFile file("tuning.log");
  octavo::read_tuning_log(file.holding(data, size));
  return 0;
}
