#include "compiler/tune/trial.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/fail.h"

namespace octavo {
namespace {

using Json = nlohmann::ordered_json;

bool is_time(double us) { return std::isfinite(us) && us > 0; }

Trial checked(Trial trial) {
  if (trial.error.empty() == trial.us.empty())
    fail(ErrorCode::invalid_model, "a trial has times or an error, one of both");
  for (const std::vector<double>& us : {trial.us, trial.against_us}) {
    if (!std::all_of(us.begin(), us.end(), is_time))
      fail(ErrorCode::invalid_model, "a trial has a time that is none");
  }
  if (trial.batch < 1 || trial.threads < 1)
    fail(ErrorCode::invalid_model, "a trial has batch {} and {} threads", trial.batch, trial.threads);
  return trial;
}

}  // namespace

std::string trial_line(const Trial& trial) {
  Json json{{"version", trial.version}, {"cpu", trial.cpu},         {"isa", trial.isa},
            {"problem", trial.problem}, {"batch", trial.batch},     {"threads", trial.threads},
            {"kernel", trial.kernel},   {"unix_ms", trial.unix_ms}, {"us", trial.us}};
  if (trial.us.empty()) {
    json["error"] = trial.error;
  } else {
    json["noise"] = timing_of(trial.us).noise;
  }
  if (!trial.against.empty()) json["against"] = {{"kernel", trial.against}, {"us", trial.against_us}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Trial parse_trial(std::string_view line) {
  try {
    const Json json = Json::parse(line);
    const Json against = json.value("against", Json::object());
    return checked({json.at("version").get<std::string>(), json.at("cpu").get<std::string>(),
                    json.at("isa").get<std::string>(), json.at("problem").get<std::string>(),
                    json.at("batch").get<std::int64_t>(), json.at("threads").get<int>(),
                    json.at("kernel").get<std::string>(), json.at("us").get<std::vector<double>>(),
                    json.value("error", ""), json.at("unix_ms").get<std::int64_t>(),
                    against.value("kernel", ""), against.value("us", std::vector<double>{})});
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::invalid_model, "{}", e.what());
  }
}

Timing timing_of(std::vector<double> us) {
  OCTAVO_ASSERT(!us.empty());
  std::sort(us.begin(), us.end());
  const std::size_t n = us.size();
  const double median = (us[(n - 1) / 2] + us[n / 2]) / 2;
  const double spread = us[n - 1 - n / 4] - us[n / 4];
  return {median, spread / median / std::sqrt(static_cast<double>(n))};
}

}  // namespace octavo
