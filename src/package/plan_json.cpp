#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "package/plan.h"

namespace octavo {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kStorageNames{"input", "output", "arena", "weights"};

// JSON has no infinities, which clamps may have: they travel as text.
Json number_json(double v) {
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  return v;
}

double parse_number(const Json& json) {
  if (json.is_string()) {
    if (json == "inf") return INFINITY;
    if (json == "-inf") return -INFINITY;
    fail(ErrorCode::invalid_model, "'{}' is no number", json.get<std::string>());
  }
  return json.get<double>();
}

Json shape_json(const Shape& shape) {
  Json json = Json::array();
  for (Dim dim : shape) dim.per_image ? json.push_back(dim_text(dim)) : json.push_back(dim.count);
  return json;
}

Shape parse_shape(const Json& json) {
  Shape shape;
  for (const Json& extent : json) {
    if (extent.is_number_integer()) {
      shape.push_back({extent.get<std::int64_t>(), false});
      continue;
    }
    std::string text = extent.get<std::string>();
    const std::size_t digits = text.size() - 1;
    const bool is_batch =
        text.ends_with('N') && digits <= 9 && text.find_first_not_of("0123456789") == digits;
    if (!is_batch) fail(ErrorCode::invalid_model, "extent '{}'", text);
    shape.push_back({digits == 0 ? 1 : std::stoll(text.substr(0, digits)), true});
  }
  return shape;
}

DType parse_dtype_json(const Json& json) {
  const auto text = json.get<std::string>();
  const auto dtype = parse_dtype(text);
  if (!dtype) fail(ErrorCode::invalid_model, "unknown dtype '{}'", text);
  return *dtype;
}

/// `value` as the number with the fewest digits that a reader rounds to it: half the digits of a double.
double short_number(float value) {
  std::array<char, 32> text{};
  const char* end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double number = 0;
  std::from_chars(text.data(), end, number);
  return static_cast<float>(number) == value ? number : double{value};
}

/// One as a number, several as a text of 8 hex digits each, their bits: a model has tens of thousands, and
/// they are read 20 times as fast as decimal digits.
Json scales_json(const std::vector<float>& scales) {
  if (scales.size() == 1) return Json::array({short_number(scales.front())});
  std::string digits;
  for (float scale : scales)
    fmt::format_to(std::back_inserter(digits), "{:08x}", std::bit_cast<std::uint32_t>(scale));
  return digits;
}

std::vector<float> parse_scales(const Json& json) {
  if (!json.is_string()) return json.get<std::vector<float>>();
  constexpr std::size_t kDigits = 8;
  const std::string_view digits = json.get_ref<const std::string&>();
  std::vector<float> scales;
  scales.reserve(digits.size() / kDigits);
  for (std::size_t at = 0; at < digits.size(); at += kDigits) {
    const std::string_view one = digits.substr(at, kDigits);
    std::uint32_t bits = 0;
    const auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), bits, 16);
    if (one.size() != kDigits || error != std::errc() || end != one.data() + kDigits)
      fail(ErrorCode::invalid_model, "scales: '{}' is not 8 hex digits", one);
    scales.push_back(std::bit_cast<float>(bits));
  }
  return scales;
}

/// Many channels mostly have one zero point: then it is written once.
Json zero_points_json(const std::vector<std::int32_t>& zero_points) {
  const bool is_one =
      std::adjacent_find(zero_points.begin(), zero_points.end(), std::not_equal_to<>()) == zero_points.end();
  return is_one && zero_points.size() > 1 ? Json(zero_points.front()) : Json(zero_points);
}

Json tensor_json(const PlanTensor& t) {
  Json json{{"name", t.name}, {"dtype", dtype_name(t.dtype)}, {"shape", shape_json(t.shape)}};
  if (t.layout == Layout::channels_last) json["layout"] = "channels_last";
  if (t.quantization) {
    json["quantization"] = {{"scales", scales_json(t.quantization->scales)},
                            {"zero_points", zero_points_json(t.quantization->zero_points)},
                            {"axis", t.quantization->axis}};
  }
  json["storage"] = kStorageNames[static_cast<std::size_t>(t.storage)];
  json["offset"] = t.offset;
  return json;
}

Quantization parse_quantization(const Json& json) {
  Quantization q{parse_scales(json.at("scales")), {}, json.at("axis").get<int>()};
  const Json& zero_points = json.at("zero_points");
  if (zero_points.is_number()) {
    q.zero_points.assign(q.scales.size(), zero_points.get<std::int32_t>());
  } else {
    q.zero_points = zero_points.get<std::vector<std::int32_t>>();
  }
  return q;
}

PlanTensor parse_tensor(const Json& json) {
  PlanTensor t;
  t.name = json.at("name").get<std::string>();
  t.dtype = parse_dtype_json(json.at("dtype"));
  t.shape = parse_shape(json.at("shape"));
  if (json.contains("layout")) {
    if (json.at("layout") != "channels_last") {
      fail(ErrorCode::invalid_model, "layout '{}'", json.at("layout").get<std::string>());
    }
    t.layout = Layout::channels_last;
  }
  if (json.contains("quantization")) t.quantization = parse_quantization(json.at("quantization"));
  const auto storage = json.at("storage").get<std::string>();
  const auto found = std::find(kStorageNames.begin(), kStorageNames.end(), storage);
  if (found == kStorageNames.end()) fail(ErrorCode::invalid_model, "storage '{}'", storage);
  t.storage = static_cast<Storage>(found - kStorageNames.begin());
  t.offset = json.at("offset").get<std::int64_t>();
  return t;
}

Json step_json(const Step& step) {
  Json json{{"problem", step.problem}, {"inputs", step.inputs}, {"output", step.output}};
  if (!step.kernel.empty()) json["kernel"] = step.kernel;
  if (step.measured_us > 0) json["measured_us"] = step.measured_us;
  for (const auto& [name, value] : step.parameters) json["parameters"][name] = number_json(value);
  if (!step.origin.empty()) json["origin"] = step.origin;
  return json;
}

Step parse_step(const Json& json) {
  Step step;
  step.problem = json.at("problem").get<std::string>();
  step.inputs = json.at("inputs").get<std::vector<std::int32_t>>();
  step.output = json.at("output").get<std::int32_t>();
  step.kernel = json.value("kernel", "");
  step.measured_us = json.value("measured_us", 0.0);
  step.origin = json.value("origin", "");
  if (json.contains("parameters")) {
    for (const auto& [name, value] : json.at("parameters").items())
      step.parameters[name] = parse_number(value);
  }
  return step;
}

Json tuning_json(const Tuning& tuning) {
  return {{"cpu", tuning.cpu},
          {"isa", tuning.isa},
          {"trials", tuning.trials},
          {"images_per_pass", tuning.pass.images},
          {"row_bands", tuning.pass.row_bands},
          {"l2_kib", tuning.pass.l2_kib},
          {"instances", tuning.instances},
          {"threads", tuning.threads}};
}

Tuning parse_tuning(const Json& json) {
  Tuning tuning{json.at("cpu").get<std::string>(),
                json.at("isa").get<std::string>(),
                json.at("trials").get<std::int64_t>(),
                {json.at("images_per_pass").get<std::int64_t>(), json.value("row_bands", std::int64_t{0}),
                 json.value("l2_kib", std::int64_t{0})},
                json.value("instances", 0),
                json.value("threads", 0)};
  check(tuning.pass, ErrorCode::invalid_model);
  const bool is_split = tuning.instances > 0 && tuning.threads % tuning.instances == 0;
  if (!is_split && (tuning.instances != 0 || tuning.threads != 0))
    fail(ErrorCode::invalid_model, "{} instances of {} threads", tuning.instances, tuning.threads);
  return tuning;
}

Json ports_json(const std::vector<Port>& ports) {
  Json json = Json::array();
  for (const Port& port : ports) json.push_back({{"name", port.name}, {"tensor", port.tensor}});
  return json;
}

std::vector<Port> parse_ports(const Json& json) {
  std::vector<Port> ports;
  for (const Json& port : json) {
    ports.push_back({port.at("name").get<std::string>(), port.at("tensor").get<std::int32_t>()});
  }
  return ports;
}

Plan parse_checked(const Json& json) {
  Plan plan;
  plan.name = json.at("name").get<std::string>();
  plan.fixed_bytes = json.at("fixed_bytes").get<std::int64_t>();
  plan.bytes_per_image = json.at("bytes_per_image").get<std::int64_t>();
  plan.whole_batch = json.at("whole_batch").get<bool>();
  if (json.contains("tuning")) plan.tuning = parse_tuning(json.at("tuning"));
  plan.inputs = parse_ports(json.at("inputs"));
  plan.outputs = parse_ports(json.at("outputs"));
  for (const Json& w : json.at("weights")) {
    plan.weights.push_back({w.at("member").get<std::string>(), parse_dtype_json(w.at("dtype")),
                            w.at("shape").get<std::vector<std::int64_t>>()});
  }
  for (const Json& tensor : json.at("tensors")) plan.tensors.push_back(parse_tensor(tensor));
  for (const Json& step : json.at("steps")) plan.steps.push_back(parse_step(step));
  check(plan);
  return plan;
}

}  // namespace

std::string plan_json(const Plan& plan) {
  Json json{{"name", plan.name},
            {"fixed_bytes", plan.fixed_bytes},
            {"bytes_per_image", plan.bytes_per_image},
            {"whole_batch", plan.whole_batch},
            {"inputs", ports_json(plan.inputs)},
            {"outputs", ports_json(plan.outputs)}};
  if (plan.tuning) json["tuning"] = tuning_json(*plan.tuning);
  json["steps"] = Json::array();
  for (const Step& step : plan.steps) json["steps"].push_back(step_json(step));
  json["tensors"] = Json::array();
  for (const PlanTensor& tensor : plan.tensors) json["tensors"].push_back(tensor_json(tensor));
  json["weights"] = Json::array();
  for (const WeightsMember& w : plan.weights) {
    json["weights"].push_back({{"member", w.member}, {"dtype", dtype_name(w.dtype)}, {"shape", w.shape}});
  }
  return json.dump(1) + "\n";
}

Plan parse_plan(std::string_view text) {
  try {
    return parse_checked(Json::parse(text));
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::invalid_model, "plan.json: {}", e.what());
  } catch (const Error& e) {
    throw e.within("plan.json");
  }
}

}  // namespace octavo
