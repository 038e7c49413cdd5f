#include "engine/session/dlrm/testing/models.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "base/testing.h"
#include "engine/session/dlrm/calibrate.h"

namespace octavo::testing {
namespace {

DlrmLayer layer_of(std::int64_t outputs, std::int64_t inputs, std::span<const float> weights,
                   std::span<const float> bias) {
  DlrmLayer layer{Tensor(DType::f32, {outputs, inputs}), Tensor(DType::f32, {outputs})};
  std::copy(weights.begin(), weights.end(), layer.weights.as<float>().begin());
  std::copy(bias.begin(), bias.end(), layer.bias.as<float>().begin());
  return layer;
}

std::vector<float> normal(std::mt19937& random, std::int64_t count, float deviation) {
  std::normal_distribution<float> distribution(0.0F, deviation);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = distribution(random);
  return values;
}

DlrmLayer random_layer(std::mt19937& random, std::int64_t outputs, std::int64_t inputs) {
  const float deviation = std::sqrt(2.0F / static_cast<float>(inputs));
  return layer_of(outputs, inputs, normal(random, outputs * inputs, deviation),
                  normal(random, outputs, 0.1F));
}

/// Codes `values` into table t.
void fill_table(DlrmModel& model, std::size_t t, std::span<const float> values,
                std::vector<std::byte>& bytes) {
  RowCodingFit fit(model.tables[t].format, model.dim);
  fit.add(values);
  const RowCoding coding = fit.coding();
  model.tables[t].scale = coding.scale;
  model.tables[t].codebook = coding.codebook;
  bytes.resize(static_cast<std::size_t>(table_bytes(model, t)));
  encode_rows(coding, values, bytes);
}

std::shared_ptr<DlrmData> assembled(DlrmModel model, std::vector<DlrmLayer> bottom,
                                    std::vector<DlrmLayer> top,
                                    const std::vector<std::vector<std::byte>>& tables) {
  Tables storage = Tables::zeros(model);
  for (std::size_t t = 0; t < tables.size(); ++t)
    std::copy(tables[t].begin(), tables[t].end(), storage.rows(t));
  return std::make_shared<DlrmData>(
      DlrmData{std::move(model), std::move(bottom), std::move(top), std::move(storage)});
}

template <class T>
std::vector<T> raw_file(const fs::path& name) {
  const std::vector<std::byte> bytes = file_bytes(test_data() / "dlrm" / name);
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

std::vector<float> parameter(int number) {
  return raw_file<float>("small_dlrm_params/p" + std::to_string(number));
}

std::vector<double> plain_mlp(const std::vector<DlrmLayer>& layers, std::vector<double> x,
                              bool has_last_relu) {
  for (const DlrmLayer& layer : layers) {
    std::vector<double> y;
    for (std::int64_t n = 0; n < layer.weights.shape()[0]; ++n) {
      double sum = layer.bias.as<float>()[static_cast<std::size_t>(n)];
      for (std::size_t k = 0; k < x.size(); ++k)
        sum += x[k] * double{layer.weights.as<float>()[static_cast<std::size_t>(n) * x.size() + k]};
      y.push_back(has_last_relu || &layer != &layers.back() ? std::max(sum, 0.0) : sum);
    }
    x = std::move(y);
  }
  return x;
}

std::vector<double> plain_bag(const TableView& table, const Bag& bag) {
  const auto bytes = static_cast<std::size_t>(row_bytes(table.coding.format, table.coding.dim));
  std::vector<float> row(static_cast<std::size_t>(table.coding.dim));
  std::vector<double> sum(row.size());
  for (std::int64_t i = 0; i < bag.count; ++i) {
    decode_rows(table.coding, {table.data + static_cast<std::size_t>(bag.rows[i]) * bytes, bytes}, row);
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += double{row[k]};
  }
  return sum;
}

std::vector<double> plain_interaction(Interaction kind, const std::vector<std::vector<double>>& vectors) {
  std::vector<double> top = vectors[0];
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (kind == Interaction::cat && i > 0) top.insert(top.end(), vectors[i].begin(), vectors[i].end());
    for (std::size_t j = 0; kind != Interaction::cat && j < i + (kind == Interaction::dot_with_self ? 1 : 0);
         ++j) {
      double dot = 0;
      for (std::size_t k = 0; k < vectors[i].size(); ++k) dot += vectors[i][k] * vectors[j][k];
      top.push_back(dot);
    }
  }
  return top;
}

}  // namespace

std::shared_ptr<DlrmData> random_dlrm(const DlrmShape& shape, unsigned seed) {
  std::mt19937 random(seed);
  DlrmModel model{"random",  shape.dense_features, shape.dim, shape.bottom,
                  shape.top, shape.interaction,    {},        {}};
  std::vector<std::vector<std::byte>> tables(shape.rows.size());
  for (std::size_t t = 0; t < shape.rows.size(); ++t) {
    model.tables.push_back({shape.rows[t], shape.formats[t % shape.formats.size()], 1.0F, {}, 0});
    fill_table(model, t, normal(random, shape.rows[t] * shape.dim, 0.3F), tables[t]);
  }
  std::vector<DlrmLayer> bottom, top;
  for (std::size_t i = 0; i < shape.bottom.size(); ++i)
    bottom.push_back(random_layer(random, shape.bottom[i], bottom_inputs(model, i)));
  for (std::size_t i = 0; i < shape.top.size(); ++i)
    top.push_back(random_layer(random, shape.top[i], top_inputs(model, i)));
  return assembled(std::move(model), std::move(bottom), std::move(top), tables);
}

OwnedBatch random_batch(const DlrmModel& model, std::int64_t samples, std::int64_t most_in_bag,
                        unsigned seed) {
  std::mt19937_64 random(seed);
  OwnedBatch batch{samples, {}, {}, {}};
  for (std::int64_t i = 0; i < samples * model.dense_features; ++i)
    batch.dense.push_back(static_cast<float>(random() % 1000) * 0.003F);
  for (const DlrmTable& table : model.tables) {
    for (std::int64_t s = 0; s < samples; ++s) {
      if (most_in_bag > 0) batch.offsets.push_back(std::ssize(batch.indices));
      const std::uint64_t count =
          most_in_bag > 0 ? random() % static_cast<std::uint64_t>(most_in_bag + 1) : 1;
      for (std::uint64_t i = 0; i < count; ++i)
        batch.indices.push_back(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(table.rows)));
    }
    if (most_in_bag > 0) batch.offsets.push_back(std::ssize(batch.indices));
  }
  return batch;
}

void calibrate(const std::shared_ptr<DlrmData>& data, const DlrmBatch& batch) {
  DlrmCalibrator calibrator{Dlrm(data)};
  calibrator.add(batch);
  data->model.calibration = calibrator.calibration();
}

std::shared_ptr<DlrmData> small_dlrm(RowFormat format) {
  DlrmModel model{"small_dlrm", 13, 32, {}, {}, Interaction::dot, {}, {}};
  std::vector<std::vector<std::byte>> tables(26);
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const std::vector<float> rows = parameter(6 + static_cast<int>(t));
    model.tables.push_back({std::ssize(rows) / model.dim, format, 1.0F, {}, 0});
    fill_table(model, t, rows, tables[t]);
  }
  const auto mlp = [](int first, std::int64_t layers, std::vector<std::int64_t>& widths) {
    std::vector<DlrmLayer> made;
    for (int i = 0; i < 2 * layers; i += 2) {
      const std::vector<float> weights = parameter(first + i), bias = parameter(first + i + 1);
      widths.push_back(std::ssize(bias));
      made.push_back(layer_of(std::ssize(bias), std::ssize(weights) / std::ssize(bias), weights, bias));
    }
    return made;
  };
  std::vector<DlrmLayer> bottom = mlp(0, 3, model.bottom), top = mlp(33, 5, model.top);
  return assembled(std::move(model), std::move(bottom), std::move(top), tables);
}

OwnedBatch small_dlrm_rows() {
  OwnedBatch batch{0,
                   raw_file<float>("small_dlrm_testdata/batch_dense_X_ref"),
                   raw_file<std::int64_t>("small_dlrm_testdata/batch_lS_i_ref"),
                   {}};
  batch.samples = std::ssize(batch.dense) / 13;
  return batch;
}

std::vector<float> small_dlrm_scores() { return raw_file<float>("small_dlrm_testdata/batch_res_ref"); }

std::vector<float> scores_of(const std::shared_ptr<const DlrmData>& data, const DlrmBatch& batch,
                             const DlrmSessionOptions& options) {
  DlrmSession session(Dlrm(data), options);
  std::vector<float> scores(static_cast<std::size_t>(std::max<std::int64_t>(batch.samples, 0)));
  session.score(batch, scores);
  return scores;
}

std::vector<double> plain_scores(const DlrmData& data, const DlrmBatch& batch) {
  const std::int64_t features = data.model.dense_features;
  std::vector<double> scores;
  for (std::int64_t s = 0; s < batch.samples; ++s) {
    const auto dense =
        batch.dense.subspan(static_cast<std::size_t>(s * features), static_cast<std::size_t>(features));
    std::vector<std::vector<double>> vectors{plain_mlp(data.bottom, {dense.begin(), dense.end()}, true)};
    for (std::size_t t = 0; t < data.model.tables.size(); ++t)
      vectors.push_back(plain_bag(data.tables.views()[t], bag_of(batch, static_cast<std::int64_t>(t), s)));
    const std::vector<double> logit =
        plain_mlp(data.top, plain_interaction(data.model.interaction, vectors), false);
    scores.push_back(1 / (1 + std::exp(-logit[0])));
  }
  return scores;
}

}  // namespace octavo::testing
