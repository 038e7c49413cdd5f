#pragma once

/// For functions that are part of a kernel's loop.
#define OCTAVO_INLINE inline __attribute__((always_inline))
