#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "package/plan.h"

namespace octavo {

/// Images that go through a plan together unless told otherwise: enough that weights larger than L2 are read
/// once for several images, few enough that the activations of most networks stay in L3.
inline constexpr std::int64_t kImagesPerPass = 8;

/// What of a core's L2 cache the activations of a step may take while its weights pass, unless told
/// otherwise.
inline constexpr std::int64_t kActivationKib = 1536;

/// Steps that `images` images take together before the next ones do.
struct Leg {
  std::size_t first = 0, end = 0;
  std::int64_t images = 0;
};

/// A tensor that one leg writes and another one reads: all images' data is kept outside of the arena, which
/// the images of a leg share. `tensor` is what a step writes or a view of it.
struct KeptTensor {
  std::size_t tensor = 0;
  std::int64_t offset = 0;  ///< in bytes, times the number of images
};

/// How a number of images goes through a plan.
struct WalkOrder {
  std::vector<Leg> legs;
  std::vector<KeptTensor> kept;
  std::int64_t kept_bytes_per_image = 0;
};

/// Divides the steps into legs so that few bytes come from behind the L2 cache: early layers of an image
/// network have small weights and large activations, which stay near when images go one by one; later ones
/// have large weights, which several images should share. `near_bytes` of activations count as near. One leg
/// where the plan cannot be divided.
WalkOrder walk_order(const Plan& plan, std::int64_t images, std::int64_t near_bytes = kActivationKib * 1024);

}  // namespace octavo
