#include "cli/demo_shapes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fail.h"
#include "base/sha256.h"
#include "base/version.h"
#include "cli/embedded.h"
#include "compiler/compile_graph.h"
#include "compiler/import/torchscript/import.h"
#include "data/decode.h"
#include "data/labels.h"
#include "data/npz.h"
#include "data/preprocess.h"

namespace octavo::cli {
namespace {

constexpr std::int64_t kSide = 32;
constexpr std::string_view kNetwork = "shapes_resnet.pt";
// What `network_input` of tools/train_demo_model.py computes.
constexpr Recipe kRecipe{"shapes", Recipe::Resize::none, 255.0F, {0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}, 0};

/// The tiles of the sheet, row by row.
std::vector<Image> tiles_of(const Image& sheet) {
  std::vector<Image> tiles;
  for (std::int64_t y = 0; y < sheet.height; y += kSide) {
    for (std::int64_t x = 0; x < sheet.width; x += kSide) tiles.push_back(crop(sheet, x, y, kSide, kSide));
  }
  return tiles;
}

Tensor network_inputs(const std::vector<Image>& images) {
  constexpr std::size_t kEach = 3 * kSide * kSide;
  Tensor inputs(DType::f32, {static_cast<std::int64_t>(images.size()), 3, kSide, kSide});
  for (std::size_t i = 0; i < images.size(); ++i) {
    preprocess(kRecipe, images[i], kSide, kSide, inputs.as<float>().subspan(i * kEach, kEach));
  }
  return inputs;
}

}  // namespace

ShapePictures embedded_shape_pictures() {
  ShapePictures pictures;
  const auto names = embedded_file("classes.txt");
  pictures.classes = parse_text_labels({reinterpret_cast<const char*>(names.data()), names.size()});
  pictures.images = tiles_of(decode_image(embedded_file("shapes_test.png")));
  const NpzReader recorded(embedded_file("shapes_logits.npz"), "shapes_logits.npz");
  pictures.recorded_logits = recorded.tensor("logits");
  const Tensor labels = recorded.tensor("label");
  const auto values = labels.as<std::int64_t>();
  pictures.labels.assign(values.begin(), values.end());
  return pictures;
}

Package compile_embedded_shapes_network() {
  const auto file = embedded_file(kNetwork);
  try {
    Graph graph = import_torchscript(file, {{{"", {3, kSide, kSide}}}});
    graph.name = "shapes_resnet";
    return compile_graph(std::move(graph), {},
                         {std::string(kNetwork), sha256_hex(file), fmt::format("octavo {}", kVersion)});
  } catch (const Error& e) {
    throw e.within(kNetwork);
  }
}

ShapeScores score_shapes(const Package& network, const ShapePictures& pictures, int threads) {
  SessionOptions options;
  options.threads = threads;
  Session session(network, options);
  const Tensor inputs = network_inputs(pictures.images);
  session.set_input(network.inputs()[0].name, inputs.view());
  session.run();
  ShapeScores scores;
  scores.logits = Tensor(session.output());
  scores.with_recorded = compare(scores.logits.view(), pictures.recorded_logits.view());
  scores.accuracy = accuracy_of(scores.logits, {pictures.labels.begin(), pictures.labels.end()}, 0);
  return scores;
}

std::vector<std::int64_t> first_of_each_class(const ShapePictures& pictures) {
  std::vector<std::int64_t> first;
  for (std::size_t c = 0; c < pictures.classes.size(); ++c) {
    const auto found =
        std::find(pictures.labels.begin(), pictures.labels.end(), static_cast<std::int64_t>(c));
    if (found != pictures.labels.end()) first.push_back(found - pictures.labels.begin());
  }
  return first;
}

}  // namespace octavo::cli
