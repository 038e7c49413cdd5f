#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "compiler/import/dlrm/source.h"
#include "input_file.h"
#include "octavo/error.h"
#include "package/dlrm_manifest.h"

namespace {

using namespace octavo;

constexpr std::int64_t kRowsTried = 64;

/// The first and last rows of every table.
void read_tables(DlrmSource& source) {
  for (std::size_t t = 0; t < source.tables.size(); ++t) {
    const DlrmTable& table = source.model.tables[t];
    const std::int64_t rows = std::min(kRowsTried, table.rows);
    std::vector<float> values(static_cast<std::size_t>(rows * source.model.dim));
    source.tables[t]->read(0, values);
    source.tables[t]->read(table.rows - rows, values);
  }
}

}  // namespace

/// Any bytes as a recommendation model (a checkpoint or ONNX, told by content), or as the manifest of one
/// that is finished.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const InputFile file("model");
  try {
    if (size > 0 && data[0] == '{') {
      parse_dlrm_manifest({reinterpret_cast<const char*>(data), size});
    } else {
      DlrmSource source = open_dlrm_source(file.holding(data, size));
      read_tables(source);
    }
  } catch (const Error& e) {
    if (e.code() == ErrorCode::internal) __builtin_trap();
  }
  return 0;
}
