#pragma once
#include <span>

namespace octavo {

/// The area under the ROC curve: the probability that a clicked sample scores above one that was not, equal
/// scores counting half. NaN unless both kinds occur. Error(invalid_argument) for a score that is NaN.
double roc_auc(std::span<const float> scores, std::span<const float> labels);

/// The mean of -ln(p) over clicked and -ln(1 - p) over other samples, with p kept 2^-24 away from 0 and 1
/// (the spacing of floats below 1). NaN without samples.
double log_loss(std::span<const float> scores, std::span<const float> labels);

}  // namespace octavo
