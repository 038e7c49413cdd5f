#pragma once
#include <string>

#include "bench/profile.h"

namespace octavo::bench {

// The pictures of a profile's page, each an <svg> element with texts as tool tips. Colours come from the
// page's style: class fN for the N-th family of kernels, see family_class.

/// Operations a byte against operations a second, both logarithmic, under the roofs that were measured.
std::string roofline_svg(const Profile& profile);
/// What each thread did when in the run of the median length; waiting is grey.
std::string timeline_svg(const Profile& profile);
/// The steps from top to bottom, as wide as their share of the time, and what they read.
std::string graph_svg(const Profile& profile);

/// "f0" to "f7": the same for the same family in all pictures of a page.
std::string family_class(const Profile& profile, const std::string& family);
/// Text with the characters that mean something in HTML replaced.
std::string escaped(const std::string& text);

}  // namespace octavo::bench
