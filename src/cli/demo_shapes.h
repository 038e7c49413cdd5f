#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/verification.h"
#include "data/image.h"
#include "octavo/session.h"

namespace octavo::cli {

/// The pictures that the demo's network has not seen in training, and what belongs to them.
struct ShapePictures {
  std::vector<Image> images;
  std::vector<std::int64_t> labels;
  std::vector<std::string> classes;
  Tensor recorded_logits;  ///< f32 [images, classes], PyTorch's
};
/// Those embedded in the program: assets/demo, described in tools/train_demo_model.py.
ShapePictures embedded_shape_pictures();

/// The demo's network, compiled from the TorchScript file that is embedded in the program.
Package compile_embedded_shapes_network();

/// What the network says of the pictures.
struct ShapeScores {
  Tensor logits;  ///< f32 [images, classes]
  Accuracy accuracy;
  Comparison with_recorded;
};
ShapeScores score_shapes(const Package& network, const ShapePictures& pictures, int threads);

/// Where the first picture of each class is.
std::vector<std::int64_t> first_of_each_class(const ShapePictures& pictures);

}  // namespace octavo::cli
