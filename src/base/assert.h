#pragma once
#include <string>

#include "octavo/error.h"

namespace octavo {

[[noreturn]] inline void assertion_failed(const char* claim, const char* file, int line) {
  throw Error(ErrorCode::internal, std::string("defect in Octavo: '") + claim + "' does not hold at " + file +
                                       ":" + std::to_string(line));
}

}  // namespace octavo

/// Our own invariants, always on in cold code. Never used to check what comes from outside.
#define OCTAVO_ASSERT(claim) \
  ((claim) ? static_cast<void>(0) : ::octavo::assertion_failed(#claim, __FILE__, __LINE__))
