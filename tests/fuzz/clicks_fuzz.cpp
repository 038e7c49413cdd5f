#include <cstddef>
#include <cstdint>
#include <string_view>

#include "data/clicks/clicks.h"
#include "input_file.h"
#include "octavo/error.h"

namespace {

using namespace octavo;

const ClickShape kShape{3, {5, 7}};

void read_all(const std::filesystem::path& path) {
  const auto reader = open_clicks(path, kShape);
  while (reader->next(4).samples > 0) {
  }
}

}  // namespace

/// Any bytes as labelled samples: an archive of arrays, rows of numbers, or lines of text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const InputFile arrays("clicks.npz"), rows("clicks.bin"), lines("clicks.txt");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const InputFile* file : {&arrays, &rows, &lines}) {
    if (bytes.starts_with("PK") != (file == &arrays)) continue;
    try {
      read_all(file->holding(data, size));
    } catch (const Error& e) {
      if (e.code() == ErrorCode::internal) __builtin_trap();
    }
  }
  return 0;
}
