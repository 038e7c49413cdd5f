// fmt's compiled part, so that a model library needs no libfmt: Debian has no static one. What the engine
// calls of fmt is found here first.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
template detail::thousands_sep_result<char> detail::thousands_sep_impl<char>(detail::locale_ref);
template char detail::decimal_point_impl<char>(detail::locale_ref);
FMT_END_NAMESPACE
