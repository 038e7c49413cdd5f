#include "package/dlrm_manifest.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/fail.h"

namespace octavo {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "octavo-package";
constexpr std::string_view kKind = "dlrm";
constexpr int kFormatVersion = 1;

Json checksum_json(std::uint32_t crc) { return fmt::format("{:08x}", crc); }

std::uint32_t parse_checksum(const Json& json) {
  const auto text = json.get<std::string>();
  std::uint32_t crc = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), crc, 16);
  if (error != std::errc() || text.size() != 8 || end != text.data() + text.size()) {
    fail(ErrorCode::invalid_model, "checksum '{}'", text);
  }
  return crc;
}

Json table_json(const DlrmModel& model, std::size_t t) {
  const DlrmTable& table = model.tables[t];
  Json json{{"file", table_member(t, table.format)},
            {"rows", table.rows},
            {"row_format", row_format_name(table.format)},
            {"row_bytes", row_bytes(table.format, model.dim)}};
  if (has_table_scale(table.format)) json["scale"] = table.scale;
  if (table.format == RowFormat::s4_codebook) json["codebook"] = table.codebook;
  json["crc32c"] = checksum_json(table.crc32c);
  return json;
}

DlrmTable parse_table(const Json& json) {
  DlrmTable table;
  table.rows = json.at("rows").get<std::int64_t>();
  const auto format = json.at("row_format").get<std::string>();
  const auto parsed = parse_row_format(format);
  if (!parsed) fail(ErrorCode::invalid_model, "unknown row format '{}'", format);
  table.format = *parsed;
  if (has_table_scale(table.format)) table.scale = json.at("scale").get<float>();
  if (table.format == RowFormat::s4_codebook) {
    const auto entries = json.at("codebook").get<std::vector<std::int64_t>>();
    if (std::ssize(entries) != kCodebookEntries) {
      fail(ErrorCode::invalid_model, "a codebook of {} entries, expected {}", entries.size(),
           kCodebookEntries);
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i] < -127 || entries[i] > 127)
        fail(ErrorCode::invalid_model, "codebook entry {}", entries[i]);
      table.codebook.at(i) = static_cast<std::int8_t>(entries[i]);
    }
  }
  table.crc32c = parse_checksum(json.at("crc32c"));
  return table;
}

Json range_json(ValueRange range) { return {range.min, range.max}; }

Json ranges_json(const std::vector<ValueRange>& ranges) {
  Json json = Json::array();
  for (const ValueRange& range : ranges) json.push_back(range_json(range));
  return json;
}

ValueRange parse_range(const Json& json) { return {json.at(0).get<float>(), json.at(1).get<float>()}; }

std::vector<ValueRange> parse_ranges(const Json& json) {
  std::vector<ValueRange> ranges;
  for (const Json& range : json) ranges.push_back(parse_range(range));
  return ranges;
}

Json calibration_json(const DlrmCalibration& c) {
  return {{"samples", c.samples},
          {"dense", range_json(c.dense)},
          {"bottom", ranges_json(c.bottom)},
          {"embeddings", ranges_json(c.embeddings)},
          {"dots", ranges_json(c.dots)},
          {"top", ranges_json(c.top)},
          {"largest_bag", c.largest_bag}};
}

DlrmCalibration parse_calibration(const Json& json) {
  return {json.at("samples").get<std::int64_t>(),
          parse_range(json.at("dense")),
          parse_ranges(json.at("bottom")),
          parse_ranges(json.at("embeddings")),
          parse_ranges(json.at("dots")),
          parse_ranges(json.at("top")),
          json.value("largest_bag", std::int64_t{0})};
}

Json tuning_json(const DlrmTuning& t) {
  return {{"arithmetic", t.arithmetic},
          {"isa", t.isa},
          {"kernel", t.kernel},
          {"samples_per_pass", t.samples_per_pass},
          {"batch", t.batch},
          {"threads", t.threads},
          {"measured_us", t.measured_us}};
}

DlrmTuning parse_tuning(const Json& json) {
  return {json.at("arithmetic").get<std::string>(), json.at("isa").get<std::string>(),
          json.at("kernel").get<std::string>(),     json.at("samples_per_pass").get<std::int64_t>(),
          json.at("batch").get<std::int64_t>(),     json.at("threads").get<std::int64_t>(),
          json.at("measured_us").get<double>()};
}

DlrmModel parse_model(const Json& json) {
  DlrmModel model;
  model.name = json.at("model").get<std::string>();
  model.dense_features = json.at("dense_features").get<std::int64_t>();
  model.dim = json.at("dim").get<std::int64_t>();
  model.bottom = json.at("bottom").get<std::vector<std::int64_t>>();
  model.top = json.at("top").get<std::vector<std::int64_t>>();
  const auto interaction = json.at("interaction").get<std::string>();
  const auto parsed = parse_interaction(interaction);
  if (!parsed) fail(ErrorCode::invalid_model, "unknown interaction '{}'", interaction);
  model.interaction = *parsed;
  for (const Json& table : json.at("tables")) {
    try {
      model.tables.push_back(parse_table(table));
    } catch (const Error& e) {
      throw e.within(fmt::format("table {}", model.tables.size()));
    }
  }
  if (json.contains("calibration")) model.calibration = parse_calibration(json.at("calibration"));
  if (json.contains("tunings")) {
    for (const Json& tuning : json.at("tunings")) model.tunings.push_back(parse_tuning(tuning));
  }
  check(model);
  return model;
}

void check_kind(const Json& json) {
  if (json.at("format") != kFormat) fail(ErrorCode::invalid_model, "no {} manifest", kFormat);
  const auto version = json.at("format_version").get<std::int64_t>();
  if (version != kFormatVersion) {
    fail(ErrorCode::invalid_model, "format version {}, this Octavo reads {}", version, kFormatVersion);
  }
  if (json.value("kind", "") != kKind) {
    fail(ErrorCode::invalid_model, "a package of kind '{}', expected '{}'", json.value("kind", ""), kKind);
  }
}

DlrmManifest parse_checked(const Json& json) {
  check_kind(json);
  DlrmManifest manifest;
  manifest.model = parse_model(json);
  const Json& source = json.at("source");
  manifest.provenance = {source.at("file").get<std::string>(), source.at("bytes").get<std::int64_t>(),
                         json.at("compiler").get<std::string>()};
  for (const auto& [member, crc] : json.at("weights").items()) manifest.weights[member] = parse_checksum(crc);
  return manifest;
}

}  // namespace

std::string dlrm_manifest_json(const DlrmManifest& manifest) {
  const DlrmModel& model = manifest.model;
  Json json{{"format", kFormat},
            {"format_version", kFormatVersion},
            {"kind", kKind},
            {"model", model.name},
            {"compiler", manifest.provenance.compiler},
            {"source", {{"file", manifest.provenance.source}, {"bytes", manifest.provenance.source_bytes}}},
            {"dense_features", model.dense_features},
            {"dim", model.dim},
            {"bottom", model.bottom},
            {"interaction", interaction_name(model.interaction)},
            {"top", model.top},
            {"weights", Json::object()},
            {"tables", Json::array()}};
  for (const auto& [member, crc] : manifest.weights) json["weights"][member] = checksum_json(crc);
  for (std::size_t t = 0; t < model.tables.size(); ++t) json["tables"].push_back(table_json(model, t));
  if (model.calibration) json["calibration"] = calibration_json(*model.calibration);
  for (const DlrmTuning& tuning : model.tunings) json["tunings"].push_back(tuning_json(tuning));
  return json.dump(1) + "\n";
}

DlrmManifest parse_dlrm_manifest(std::string_view text) {
  try {
    return parse_checked(Json::parse(text));
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::invalid_model, "manifest.json: {}", e.what());
  } catch (const Error& e) {
    throw e.within("manifest.json");
  }
}

}  // namespace octavo
