#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/kernels/reach.h"

namespace octavo {

/// Bands of a step that are done one after the other: band `band` of `bands` equal ones; each is shared by
/// all threads.
struct BandStep {
  std::size_t step = 0;
  int band = 0, bands = 1;
};

/// Bytes of memory that a band writes and reads, as addresses.
struct BandBytes {
  ByteRange written;
  std::vector<ByteRange> read;
};

/// Bands of consecutive steps, by step and band, in an order that leaves what one step writes near for the
/// next one: each band of the last step comes as soon as the bands before it are done that it needs. What two
/// bands do to the same bytes stays in the steps' order, so results are those of the steps one after the
/// other. `first` is the first step's index.
std::vector<BandStep> band_order(std::span<const std::vector<BandBytes>> steps, std::size_t first);

}  // namespace octavo
