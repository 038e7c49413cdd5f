#pragma once
#include <string_view>

#include "data/npy.h"

namespace octavo {

/// Reads the text {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } into the fields of NpyHeader
/// that it decides, `data_bytes` included. Errors as `read_npy_header`.
NpyHeader parse_npy_header_text(std::string_view text);

}  // namespace octavo
